"""Who is told of an alert, and who next: a snapshot of accounts by level, with its rules."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from backend.accounts import selectors as accounts
from backend.accounts.access import ORGANISATION_WIDE
from backend.accounts.models import ClinicianRole, Patient
from backend.accounts.selectors import Reachable
from backend.aftercare.decision_rules import Severity
from backend.aftercare.ladder_rules import STANDARD, Rung, Way, Who, rung_of
from backend.aftercare.policy import RESPONSE
from backend.notifications.selectors import live_ways
from backend.rows import array_of, one

Ladder = list[list[str]]
Rungs = Sequence[Mapping[str, Any]]
Live = Mapping[str, frozenset[str]]
"""Accounts by id with the ways (`Way`) by which they can be reached now."""

LATER_LEVELS = (ClinicianRole.ON_CALL, ClinicianRole.CLINICAL_SUPERVISOR)


@dataclass(frozen=True, slots=True)
class Standing:
    """An organisation's ladder at one moment, and who has a shift then.

    `version` is None for the standard ladder. A rota begins with its first shift and ends with its
    last: `has_rota` is false before and after, and then everybody with the role is on call.
    """

    version: int | None
    rungs: Sequence[Rung]
    has_rota: bool
    on_shift: frozenset[str]


_STANDING = """
SELECT l.version, l.rungs,
    EXISTS (SELECT FROM aftercare_oncallshift s WHERE s.organisation_id = %(organisation_id)s
        AND s.cancelled_at IS NULL AND s.ends_at > %(now)s)
    AND EXISTS (SELECT FROM aftercare_oncallshift s WHERE s.organisation_id = %(organisation_id)s
        AND s.cancelled_at IS NULL AND s.starts_at <= %(now)s),
    ARRAY(SELECT DISTINCT c.user_id FROM aftercare_oncallshift s
        JOIN accounts_clinician c ON c.id = s.clinician_id
            AND c.organisation_id = s.organisation_id AND c.roles::text[] && %(wide)s
        JOIN accounts_user u ON u.id = c.user_id AND u.is_active
        WHERE s.organisation_id = %(organisation_id)s AND s.cancelled_at IS NULL
            AND s.starts_at <= %(now)s AND s.ends_at > %(now)s)
    FROM (SELECT) AS asked LEFT JOIN LATERAL (
        SELECT version, rungs FROM aftercare_escalationladder
        WHERE organisation_id = %(organisation_id)s ORDER BY version DESC LIMIT 1) AS l ON true
"""


def standing(organisation_id: UUID, *, now: datetime) -> Standing:
    """The newest version and the shifts of this moment, by one read."""
    values = {"organisation_id": organisation_id, "now": now, "wide": list(ORGANISATION_WIDE)}
    row = one(_STANDING, values)
    assert row is not None
    version, rungs, has_rota, on_shift = row
    return Standing(
        version=version,
        rungs=tuple(map(rung_of, json.loads(rungs))) if rungs else STANDARD,
        has_rota=has_rota,
        on_shift=frozenset(map(str, on_shift)),
    )


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What an alert keeps of the ladder from its opening on: the people of each level, and by the
    same index the rule it stands for. A rule with `by_rota` is asked again when its turn comes."""

    people: Ladder
    rungs: list[dict[str, Any]]
    version: int | None

    def columns(self) -> dict[str, Any]:
        """As an `Alert` holds it."""
        return {"ladder": self.people, "rungs": self.rungs, "ladder_version": self.version}


def snapshot_for(patient: Patient, *, now: datetime) -> Snapshot:
    """The organisation's ladder with the people on it now.

    Nobody stands on two levels, and a level without anybody is left out. A rung by a rota is the
    exception in both: who is on shift may be others by the time it is told, so it stays without
    anybody, too, and takes nobody from the levels after it.
    """
    stands = standing(patient.organisation_id, now=now)
    found = accounts.clinicians_for(patient, on=now.date(), roles=LATER_LEVELS)
    seen: set[str] = set()
    people: Ladder = []
    rules: list[dict[str, Any]] = []
    for rung in stands.rungs:
        by_rota = rung.who is Who.ON_CALL and stands.has_rota
        fresh = [
            user_id
            for user_id in (str(each.user_id) for each in _on(rung, found, stands))
            if user_id not in seen
        ]
        if not by_rota:
            seen.update(fresh)
        if fresh or by_rota:
            people.append(fresh)
            rules.append(_rule(rung, by_rota=by_rota))
    return Snapshot(people, rules, stands.version)


def _on(rung: Rung, found: Sequence[Reachable], stands: Standing) -> list[Reachable]:
    match rung.who:
        case Who.CARE_TEAM:
            return care_team(found)
        case Who.THERAPIST | Who.CASE_MANAGER:
            return [each for each in found if each.team_role == rung.who.value]
        case Who.ON_CALL if stands.has_rota:
            return [each for each in found if str(each.user_id) in stands.on_shift]
        case Who.NAMED:
            return [each for each in found if str(each.user_id) in rung.user_ids]
        case _:
            return [each for each in found if rung.who.value in each.roles]


def _rule(rung: Rung, *, by_rota: bool) -> dict[str, Any]:
    return {
        "who": rung.who.value,
        "silent": dict(rung.silent),
        "ways": list(rung.ways),
        "by_rota": by_rota,
    }


def care_team(found: Iterable[Reachable]) -> list[Reachable]:
    """Those of them on the patient's care team, therapists first."""
    team = [each for each in found if each.team_role is not None]
    return sorted(team, key=lambda each: each.team_role != ClinicianRole.THERAPIST)


def with_who_is_on_shift(
    ladder: Ladder, rungs: Rungs | None, on_shift: Collection[str], *, start: int
) -> Ladder:
    """The levels from `start` on by a rota, with whoever has a shift now and was not told before.

    Where nobody has one, those named at the opening stay.
    """
    named = list(ladder)
    for level, rule in enumerate(rungs or ()):
        if level < start or not rule["by_rota"]:
            continue
        told = {user_id for earlier in named[:level] for user_id in earlier}
        named[level] = sorted(set(on_shift) - told) or named[level]
    return named


def has_rota(rungs: Rungs | None) -> bool:
    """Whether any of its levels is by a rota."""
    return any(rule["by_rota"] for rule in rungs or ())


def silence_of(rungs: Rungs | None, *, level: int, severity: Severity) -> timedelta | None:
    """How long that level may be silent before the next one is told; None for ever.

    Alerts opened before ladders were data have no rules and keep the standard.
    """
    standard = RESPONSE[severity].next_level_after
    if standard is None or not rungs or level >= len(rungs):
        return standard
    return timedelta(minutes=rungs[level]["silent"][severity.value])


def ways_of(rungs: Rungs | None, level: int) -> tuple[str, ...]:
    """The ways in which that level is told; none named are all."""
    return tuple(rungs[level]["ways"]) if rungs and level < len(rungs) else ()


def live_on(ladder: Ladder) -> Live:
    """The accounts on it that can be reached now: a phone, or an address that was verified."""
    ways = live_ways([UUID(user_id) for level in ladder for user_id in level])
    return {str(user_id): found for user_id, found in ways.items()}


def reachable_level(ladder: Ladder, rungs: Rungs | None, *, start: int, live: Live) -> int | None:
    """The first level from `start` on with somebody who is `live` in one of its ways, or None."""
    for index in range(start, len(ladder)):
        ways = ways_of(rungs, index)
        reached = (live.get(user_id, frozenset()) for user_id in ladder[index])
        if any(found and (not ways or not found.isdisjoint(ways)) for found in reached):
            return index
    return None


def told_without_a_phone(
    ladder: Ladder, rungs: Rungs | None, *, level: int
) -> dict[UUID, set[str]]:
    """Of the levels up to this one the accounts that no phone is asked of, with their ways."""
    found: dict[UUID, set[str]] = {}
    by_phone: set[UUID] = set()
    for index, people in enumerate(ladder[: level + 1]):
        ways = ways_of(rungs, index)
        for user_id in map(UUID, people):
            if ways and Way.PUSH.value not in ways:
                found.setdefault(user_id, set()).update(ways)
            else:
                by_phone.add(user_id)
    return {user_id: ways for user_id, ways in found.items() if user_id not in by_phone}


def told_by_rota(ladder: Ladder, rungs: Rungs | None, *, level: int) -> set[UUID]:
    """The accounts on the levels by a rota up to this one."""
    levels = zip(ladder[: level + 1], rungs or (), strict=False)
    return {UUID(user_id) for people, rule in levels if rule["by_rota"] for user_id in people}


def works_throughout(user_ids: Collection[UUID], *, since: datetime, until: datetime) -> bool:
    """Whether one of these accounts has a shift that covers all of that time."""
    row = one(
        "SELECT EXISTS (SELECT FROM aftercare_oncallshift s"
        " JOIN accounts_clinician c ON c.id = s.clinician_id"
        " WHERE c.user_id = ANY(%s::uuid[]) AND s.cancelled_at IS NULL"
        " AND s.starts_at <= %s AND s.ends_at >= %s)",
        [array_of(user_ids), since, until],
    )
    return bool(row and row[0])
