"""Sessions that patients of the programme have missed, as the rules about them count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from backend.aftercare.missed_sessions import LOOK_BACK, Held, missed_run
from backend.program.models import AttendanceStatus
from backend.program.selectors import HeldSession, held_sessions, held_sessions_between

ONE_DAY = timedelta(days=1)


def held_by(zones: Mapping[UUID, str], *, since: datetime) -> dict[UUID, Sequence[Held]]:
    """Sessions attended or missed since then, by patient, in one query.

    `zones` says where each patient is; who had no session is left out.
    """
    return _held(held_sessions(list(zones), since=since), zones)


def missed_now(zones: Mapping[UUID, str], *, now: datetime) -> dict[UUID, tuple[date, ...]]:
    """The days of the sessions missed since the last attended one; who missed none is left out."""
    return _missed(held_by(zones, since=now - LOOK_BACK - ONE_DAY), zones, now=now)


def missed_between(
    first: UUID, last: UUID, *, zones: Mapping[UUID, str], now: datetime
) -> dict[UUID, tuple[date, ...]]:
    """The same of the patients in `zones`, whose ids all lie from `first` to `last`."""
    found = held_sessions_between(first, last, since=now - LOOK_BACK - ONE_DAY)
    return _missed(_held(found, zones), zones, now=now)


def _held(
    found: Mapping[UUID, Sequence[HeldSession]], zones: Mapping[UUID, str]
) -> dict[UUID, Sequence[Held]]:
    return {
        patient_id: [
            Held(
                on=session.on,
                known_on=session.known_at.astimezone(ZoneInfo(zones[patient_id])).date(),
                was_missed=session.status == AttendanceStatus.MISSED,
            )
            for session in sessions
        ]
        for patient_id, sessions in found.items()
        if patient_id in zones
    }


def _missed(
    held: Mapping[UUID, Sequence[Held]], zones: Mapping[UUID, str], *, now: datetime
) -> dict[UUID, tuple[date, ...]]:
    todays = {zone: now.astimezone(ZoneInfo(zone)).date() for zone in set(zones.values())}
    runs = {
        patient_id: missed_run(sessions, by=todays[zones[patient_id]])
        for patient_id, sessions in held.items()
    }
    return {patient_id: run for patient_id, run in runs.items() if run}
