"""Missing is a signal: a silence that is long for this person is one flag until they are back."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from backend.accounts.actor import Actor
from backend.accounts.models import Patient
from backend.aftercare.decision_rules import Severity
from backend.aftercare.models import Alert, Condition
from backend.aftercare.services.flags import end_flag, keep_flag, raise_flag, standing_flag


def follow_absence(
    *, actor: Actor, patient: Patient, answered_on: date, until: date, now: datetime
) -> Alert | None:
    """Opens the alert for a silence from the day after `answered_on` to `until`, or keeps it.

    Runs in the caller's transaction, under the patient's lock.
    """
    reason = absence_reason(answered_on, until)
    standing = standing_flag(patient, Condition.ABSENCE)
    if standing is not None:
        return keep_flag(standing, reason, on=until)
    return raise_flag(
        actor=actor,
        patient=patient,
        condition=Condition.ABSENCE,
        reason=reason,
        first_on=answered_on + timedelta(days=1),
        on=until,
        now=now,
    )


def end_absence(
    *, actor: Actor, patient: Patient, answered_on: date, now: datetime
) -> Alert | None:
    """They are back: an answer about a day of the silence or after it closes the alert."""
    standing = standing_flag(patient, Condition.ABSENCE)
    if standing is None or answered_on < _silent_from(standing):
        return None
    return end_flag(actor=actor, alert=standing, now=now)


def absence_reason(answered_on: date, until: date) -> dict[str, Any]:
    """The reason as an alert keeps it."""
    return {
        "rule": "absence",
        "severity": Severity.MEDIUM.value,
        "on": until.isoformat(),
        "facts": {"count": (until - answered_on).days},
    }


def _silent_from(alert: Alert) -> date:
    """The first day of the present silence; one that re-opened began with an earlier one."""
    reason = alert.reasons[-1]
    return date.fromisoformat(reason["on"]) - timedelta(days=reason["facts"]["count"] - 1)
