"""What care does about a trend: a nudge to the patient, a flag to the therapist, or nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import structlog
from django.db import transaction

from backend.accounts.actor import Actor
from backend.accounts.models import Patient
from backend.aftercare.models import Alert, AlertStatus, Condition, Severity
from backend.aftercare.services.nudges import nudge
from backend.aftercare.services.worsening import follow_worsening
from backend.tracking.assessing import (
    ClaimedRequest,
    claim_requests,
    finish_request,
    store_assessment,
)
from backend.tracking.trends import SIGNALS, Tier, WindowAssessment, assess_window
from backend.tracking.windows import Windows, latest_days, load_windows

logger = structlog.get_logger(__name__)
ACTOR = Actor.system("assess_due")


def assess_due(*, now: datetime) -> int:
    """Evaluates everyone who asked for it, many at once as arrays; returns how many.

    Each person's outcome is one transaction: the assessment, what follows from it, and the
    clearing of the request. One that fails is logged and keeps its request for the next time.
    """
    claimed = claim_requests(now=now)
    if not claimed:
        return 0
    windows = load_windows(latest_days([request.patient_id for request in claimed]))
    row_of = {patient_id: row for row, patient_id in enumerate(windows.patient_ids)}
    found = assess_window(windows.raw, SIGNALS) if row_of else None
    for request in claimed:
        row = row_of.get(request.patient_id)
        try:
            with transaction.atomic():
                if found is not None and row is not None:
                    _decide(request, windows, found, row, now=now)
                finish_request(request)
        except Exception as error:
            logger.error("assessment_failed", patient_id=str(request.patient_id), exc_info=error)
    return len(claimed)


def _decide(
    request: ClaimedRequest, windows: Windows, found: WindowAssessment, row: int, *, now: datetime
) -> None:
    patient = (
        Patient.objects.select_related("organisation", "user")
        .select_for_update(of=("self",), no_key=True)
        .get(pk=request.patient_id)
    )
    as_of = windows.as_of[row]
    facts = found.facts(row, as_of=as_of)
    store_assessment(
        actor=ACTOR,
        patient_id=patient.pk,
        as_of=as_of,
        facts=facts,
        digest=windows.digest(row),
        now=now,
    )
    if not patient.is_active:
        return
    reason = worsening_reason(facts)
    if found.above(Tier.FLAG)[row]:
        follow_worsening(actor=ACTOR, patient=patient, reason=reason, on=as_of, now=now)
    if found.above(Tier.NUDGE)[row] and not _has_acute_alert(patient):
        nudge(patient=patient, kind="worsening", reasons=[reason], now=now)


def worsening_reason(facts: dict[str, Any]) -> dict[str, Any]:
    """The reason as an alert and a nudge keep it: the rule and what its sentence needs."""
    return {
        "rule": "worsening",
        "severity": Severity.MEDIUM.value,
        "on": facts["as_of"],
        "facts": {
            "began_on": facts["began_on"],
            "signals": [signal for signal in facts["signals"] if signal["reason"]],
        },
    }


def _has_acute_alert(patient: Patient) -> bool:
    open_alerts = Alert.objects.filter(patient=patient).exclude(status=AlertStatus.RESOLVED)
    return open_alerts.exclude(condition=Condition.WORSENING).exists()
