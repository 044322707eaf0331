"""Missing is a signal: one flag until they are back.

It opens for a silence that is long for this person, and for a missed session with two missed
check-ins. The first missed session alone puts somebody on the daily list (`caseload.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from backend.accounts.actor import Actor
from backend.accounts.models import Patient
from backend.aftercare.decision_rules import Severity
from backend.aftercare.missed_sessions import has_passed, is_flagged
from backend.aftercare.models import Alert, Condition
from backend.aftercare.services.flags import end_flag, keep_flag, raise_flag, standing_flag


@dataclass(frozen=True, slots=True)
class Absence:
    """How somebody is missing. `answered_on` is the last day with a daily check-in, or the day
    before the first one that was asked for; `missed` the sessions since the last attended one.

    `is_long` says that the silence from then to `until` is long for this person.
    """

    answered_on: date
    until: date
    is_long: bool
    missed: Sequence[date] = ()

    @property
    def silent_days(self) -> int:
        return (self.until - self.answered_on).days

    @property
    def is_missed(self) -> bool:
        return is_flagged(self.missed, silent_days=self.silent_days, on=self.until)

    @property
    def takes_a_flag(self) -> bool:
        return self.is_long or self.is_missed


def follow_absence(
    *, actor: Actor, patient: Patient, absence: Absence, now: datetime
) -> Alert | None:
    """Opens the alert, keeps it up to date while they are missing, or ends it.

    Runs in the caller's transaction, under the patient's lock. None where nothing changed.
    """
    standing = standing_flag(patient, Condition.ABSENCE)
    if standing is not None:
        if absence.answered_on >= _silent_from(standing) or _is_over(standing, absence):
            return end_flag(actor=actor, alert=standing, now=now)
        return keep_flag(standing, absence_reason(absence), on=absence.until)
    if not absence.takes_a_flag:
        return None
    return raise_flag(
        actor=actor,
        patient=patient,
        condition=Condition.ABSENCE,
        reason=absence_reason(absence),
        first_on=absence.answered_on + timedelta(days=1),
        on=absence.until,
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


def absence_reason(absence: Absence) -> dict[str, Any]:
    """The reason as an alert keeps it, with the sessions where any were missed."""
    facts: dict[str, Any] = {"count": absence.silent_days}
    if absence.missed:
        facts |= {"sessions": len(absence.missed), "session_on": absence.missed[-1].isoformat()}
    return {
        "rule": "missed_session" if absence.missed else "absence",
        "severity": Severity.MEDIUM.value,
        "on": absence.until.isoformat(),
        "facts": facts,
    }


def _is_over(alert: Alert, absence: Absence) -> bool:
    """The session behind it has lost its cause, and the silence alone would take no flag."""
    session_on = alert.reasons[-1]["facts"].get("session_on")
    return (
        session_on is not None
        and not absence.takes_a_flag
        and has_passed(absence.missed, session_on=date.fromisoformat(session_on), on=absence.until)
    )


def _silent_from(alert: Alert) -> date:
    """The first day of the present silence; one that re-opened began with an earlier one."""
    reason = alert.reasons[-1]
    return date.fromisoformat(reason["on"]) - timedelta(days=reason["facts"]["count"] - 1)
