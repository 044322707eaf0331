"""Who is told of an alert, and who next: a snapshot of accounts by level."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from backend.accounts import selectors as accounts
from backend.accounts.models import Clinician, ClinicianRole, Patient

Ladder = list[list[str]]


def ladder_for(patient: Patient, *, on: date) -> Ladder:
    """Account ids by level: the care team, then who is on call, then a clinical supervisor.

    Nobody stands on two levels, and a level without anybody is left out.
    """
    on_call = accounts.clinicians_with_role(patient.organisation, ClinicianRole.ON_CALL)
    supervisors = accounts.clinicians_with_role(
        patient.organisation, ClinicianRole.CLINICAL_SUPERVISOR
    )
    seen: set[UUID] = set()
    ladder: Ladder = []
    for level in (accounts.care_team_clinicians(patient.pk, on=on), on_call, supervisors):
        fresh = _fresh(level, seen)
        if fresh:
            ladder.append(fresh)
    return ladder


def _fresh(level: Sequence[Clinician], seen: set[UUID]) -> list[str]:
    fresh = [clinician for clinician in level if clinician.user_id not in seen]
    seen.update(clinician.user_id for clinician in fresh)
    return [str(clinician.user_id) for clinician in fresh]


def live_on(ladder: Ladder) -> frozenset[str]:
    """The accounts on it whose phone can be reached now."""
    ids = [UUID(user_id) for level in ladder for user_id in level]
    return frozenset(map(str, accounts.users_with_live_device(ids)))


def reachable_level(ladder: Ladder, *, start: int, live: Collection[str]) -> int | None:
    """The first level from `start` on with somebody who is `live`; None if none."""
    for index in range(start, len(ladder)):
        if not set(live).isdisjoint(ladder[index]):
            return index
    return None
