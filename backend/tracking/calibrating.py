"""Limits fitted on an organisation's own people: proposed, looked at, and only then adopted."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from uuid import UUID

import numpy as np

from backend.accounts import audit
from backend.accounts.actor import Actor
from backend.accounts.models import Organisation, Patient
from backend.tracking.adopted_limits import limits_in_use
from backend.tracking.trends import SIGNALS
from backend.tracking.trends.arrays import Floats
from backend.tracking.trends.refit import Proposal, propose
from backend.tracking.trends.signals import stacked_badness
from backend.tracking.windows import latest_days, load_windows

DAYS = 180
# Fewer people than this, and the figures would be about persons.
LEAST_PEOPLE = 20


class TooFewPeople(ValueError):
    """Limits fitted on so few would be theirs and nobody else's."""


def propose_limits(
    *,
    actor: Actor,
    organisation: Organisation,
    consented: Collection[str],
    days: int = DAYS,
    now: datetime,
) -> Proposal:
    """Fits limits on the last `days` days of those patients who agreed to it; adopts nothing.

    `consented` holds their external references. Raises `TooFewPeople`, and `TooFewDays` below 3,000
    patient-days with a trend.
    """
    patients = Patient.objects.filter(organisation=organisation, external_ref__in=consented)
    ids = list(patients.exclude(external_ref="").order_by("pk").values_list("pk", flat=True))
    history, last = _history(ids, days)
    if len(history) < LEAST_PEOPLE:
        raise TooFewPeople(f"{len(history)} people with check-ins, {LEAST_PEOPLE} needed")
    proposal = propose(
        history,
        population_sd=np.array([signal.population_sd for signal in SIGNALS]),
        provenance={
            "cohort": "an organisation's own people who agreed to it",
            "organisation_id": str(organisation.pk),
            "from": (last - timedelta(days=days - 1)).isoformat() if last else None,
            "until": last.isoformat() if last else None,
            "fitted_at": now.isoformat(),
            "command": "manage.py calibrate",
        },
        current=limits_in_use({organisation.pk})[organisation.pk].limits,
    )
    audit.record(
        actor=actor,
        action="limits.propose",
        facts={"organisation_id": str(organisation.pk), "count": len(history)},
    )
    return proposal


def _history(patient_ids: list[UUID], days: int) -> tuple[Floats, date | None]:
    """People x days x signals of badness, each person up to their own last day."""
    ends = latest_days(patient_ids)
    windows = load_windows(ends, days=days)
    return stacked_badness(windows.raw, SIGNALS), max(ends.values(), default=None)
