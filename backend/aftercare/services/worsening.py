"""One persisting decline is one open alert: it is updated while it lasts, never opened twice."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from backend.accounts.actor import Actor
from backend.accounts.models import Patient
from backend.aftercare.episodes import Day, is_over
from backend.aftercare.models import Alert, Condition
from backend.aftercare.services.flags import end_flag, keep_flag, raise_flag, standing_flag


def follow_worsening(
    *, actor: Actor, patient: Patient, reason: dict[str, Any], day: Day, now: datetime
) -> Alert | None:
    """Opens the patient's `worsening` alert, keeps the open one up to date, or ends it.

    Runs in the caller's transaction, under the patient's lock. None where nothing changed.
    """
    standing = standing_flag(patient, Condition.WORSENING)
    if standing is not None:
        if day.nudged:
            return keep_flag(standing, reason, on=day.on)
        if is_over(day, ended_on=standing.last_on):
            return end_flag(actor=actor, alert=standing, now=now)
        return None
    if not day.flagged:
        return None
    return raise_flag(
        actor=actor,
        patient=patient,
        condition=Condition.WORSENING,
        reason=reason,
        first_on=_began(reason, day.on),
        on=day.on,
        now=now,
    )


def _began(reason: dict[str, Any], on: date) -> date:
    began: str | None = reason["facts"]["began_on"]
    return date.fromisoformat(began) if began else on
