"""Who is told of an alert, and who next: a snapshot of accounts by level."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from uuid import UUID

from backend.accounts import selectors as accounts
from backend.accounts.models import ClinicianRole, Patient
from backend.accounts.selectors import Reachable
from backend.notifications.selectors import contact_points_by_user

Ladder = list[list[str]]
LATER_LEVELS = (ClinicianRole.ON_CALL, ClinicianRole.CLINICAL_SUPERVISOR)


def ladder_for(patient: Patient, *, on: date) -> Ladder:
    """Account ids by level: the care team, then who is on call, then a clinical supervisor.

    Nobody stands on two levels, and a level without anybody is left out.
    """
    found = accounts.clinicians_for(patient, on=on, roles=LATER_LEVELS)
    levels = [care_team(found)]
    levels += [[one for one in found if role.value in one.roles] for role in LATER_LEVELS]
    seen: set[UUID] = set()
    ladder: Ladder = []
    for level in levels:
        fresh = [one.user_id for one in level if one.user_id not in seen]
        seen.update(fresh)
        if fresh:
            ladder.append([str(user_id) for user_id in fresh])
    return ladder


def care_team(found: Iterable[Reachable]) -> list[Reachable]:
    """Those of them on the patient's care team, therapists first."""
    team = [one for one in found if one.team_role is not None]
    return sorted(team, key=lambda one: one.team_role != ClinicianRole.THERAPIST)


def live_on(ladder: Ladder) -> frozenset[str]:
    """The accounts on it that can be reached now: a phone, or an address that was verified."""
    ids = [UUID(user_id) for level in ladder for user_id in level]
    reached = accounts.users_with_live_device(ids) | set(contact_points_by_user(ids))
    return frozenset(map(str, reached))


def reachable_level(ladder: Ladder, *, start: int, live: Collection[str]) -> int | None:
    """The first level from `start` on with somebody who is `live`; None if none."""
    for index in range(start, len(ladder)):
        if not set(live).isdisjoint(ladder[index]):
            return index
    return None
