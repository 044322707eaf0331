"""Sessions that patients of the programme have missed, as the rules about them count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from backend.aftercare.missed_sessions import LOOK_BACK, Held, missed_run
from backend.program.models import AttendanceStatus
from backend.program.selectors import held_sessions

ONE_DAY = timedelta(days=1)


def held_by(zones: Mapping[UUID, str], *, since: datetime) -> dict[UUID, Sequence[Held]]:
    """Sessions attended or missed since then, by patient, in one query.

    `zones` says where each patient is; who had no session is left out.
    """
    return {
        patient_id: [
            Held(
                on=session.on,
                known_on=session.known_at.astimezone(ZoneInfo(zones[patient_id])).date(),
                was_missed=session.status == AttendanceStatus.MISSED,
            )
            for session in sessions
        ]
        for patient_id, sessions in held_sessions(list(zones), since=since).items()
    }


def missed_now(zones: Mapping[UUID, str], *, now: datetime) -> dict[UUID, tuple[date, ...]]:
    """The days of the sessions missed since the last attended one; who missed none is left out."""
    held = held_by(zones, since=now - LOOK_BACK - ONE_DAY)
    todays = {zone: now.astimezone(ZoneInfo(zone)).date() for zone in set(zones.values())}
    runs = {
        patient_id: missed_run(sessions, by=todays[zones[patient_id]])
        for patient_id, sessions in held.items()
    }
    return {patient_id: run for patient_id, run in runs.items() if run}
