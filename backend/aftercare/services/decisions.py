"""Writing down what was decided, also when nothing is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from backend.accounts.models import Patient
from backend.aftercare.models import Decision, DecisionKind


def record_decision(
    *,
    patient: Patient,
    kind: DecisionKind,
    source: str,
    known: Mapping[str, Any],
    options: Sequence[str],
    chosen: str = "",
    reason: str = "",
    why_not: str = "",
    now: datetime,
) -> None:
    """Stores the decision in the caller's transaction. Either `chosen` and `reason`, or `why_not`.

    `known` takes ids, counts, dates and names of rules, never what a person wrote. The same
    decision again on the same date of the patient's is not stored again.
    """
    row = Decision(
        patient=patient,
        at=now,
        local_date=now.astimezone(ZoneInfo(patient.time_zone)).date(),
        kind=kind.value,
        source=source,
        known=dict(known),
        options=list(options),
        chosen=chosen,
        reason=reason,
        why_not=why_not,
    )
    Decision.objects.bulk_create([row], ignore_conflicts=True)
