"""What the routes of sessions take and answer."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from backend.program import selectors
from backend.program.api.shared import name_of
from backend.program.models import Attendance, ProgramSession, SessionSeries

KindName = Literal["individual", "group", "family", "education"]
Minutes = Annotated[int, Meta(ge=5, le=720)]
Moment = Annotated[datetime, Meta(tz=True)]


class SessionBody(Struct, forbid_unknown_fields=True):
    """`starts_at` carries an offset."""

    id: UUID
    kind: KindName
    starts_at: Moment
    duration_minutes: Minutes


class SeriesBody(Struct, forbid_unknown_fields=True):
    """`rule` is a weekly RRULE of RFC 5545 that ends, for example
    `FREQ=WEEKLY;BYDAY=MO,WE;COUNT=24`; `at` is on the clock of the programme.
    """

    id: UUID
    kind: KindName
    first_on: date
    at: Annotated[time, Meta(tz=False)]
    duration_minutes: Minutes
    rule: Annotated[str, Meta(max_length=120)]


class MoveBody(Struct, forbid_unknown_fields=True):
    """`id` is that of the session at its new time; `starts_at` carries an offset."""

    id: UUID
    starts_at: Moment


class AttendanceBody(Struct, forbid_unknown_fields=True):
    """A new id corrects what was recorded before."""

    id: UUID
    status: Literal["attended", "missed", "excused"]


class SessionAnswer(Struct):
    """`attendance` is null until somebody has recorded it, and `recorded_by` says who that was."""

    id: UUID
    series_id: UUID | None
    kind: str
    starts_at: datetime
    time_zone: str
    duration_minutes: int
    cancelled_at: datetime | None
    attendance: str | None
    recorded_at: datetime | None
    recorded_by: str | None


class SessionList(Struct):
    results: list[SessionAnswer]


class SeriesAnswer(Struct):
    """The sessions that the rule made, in order."""

    id: UUID
    kind: str
    first_on: date
    at: time
    time_zone: str
    duration_minutes: int
    rule: str
    sessions: list[UUID]


class OwnSessionAnswer(Struct):
    """A session of one's own; `attendance` is null until it was recorded."""

    id: UUID
    kind: str
    starts_at: datetime
    time_zone: str
    duration_minutes: int
    cancelled_at: datetime | None
    attendance: str | None


class OwnSessionList(Struct):
    results: list[OwnSessionAnswer]


def show_session(row: ProgramSession) -> SessionAnswer:
    stands = selectors.standing(row)
    return SessionAnswer(
        id=row.pk,
        series_id=row.series_id,
        kind=row.kind,
        starts_at=row.starts_at,
        time_zone=row.time_zone,
        duration_minutes=row.duration_minutes,
        cancelled_at=row.cancelled_at,
        attendance=stands.status if stands else None,
        recorded_at=stands.recorded_at if stands else None,
        recorded_by=name_of(stands.recorded_by) if stands else None,
    )


def show_stored(row: ProgramSession | Attendance) -> SessionAnswer:
    """What a conflict is about, as it stands."""
    session_id = row.session_id if isinstance(row, Attendance) else row.pk
    return show_session(selectors.find_session(row.patient_id, session_id))


def show_own_session(row: ProgramSession) -> OwnSessionAnswer:
    stands = selectors.standing(row)
    return OwnSessionAnswer(
        id=row.pk,
        kind=row.kind,
        starts_at=row.starts_at,
        time_zone=row.time_zone,
        duration_minutes=row.duration_minutes,
        cancelled_at=row.cancelled_at,
        attendance=stands.status if stands else None,
    )


def show_series(row: SessionSeries) -> SeriesAnswer:
    return SeriesAnswer(
        id=row.pk,
        kind=row.kind,
        first_on=row.first_on,
        at=row.at,
        time_zone=row.time_zone,
        duration_minutes=row.duration_minutes,
        rule=row.rule,
        sessions=selectors.sessions_of_series(row),
    )
