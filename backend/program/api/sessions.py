"""`/api/v1/patients/{patient_id}/sessions` and `/api/v1/me/sessions`: what a patient attends."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from backend import errors
from backend.accounts.access import read_own_patient
from backend.accounts.actor import Role
from backend.accounts.authentication import actor_of
from backend.accounts.models import Patient
from backend.openapi import problems
from backend.program import selectors, services
from backend.program.api.shared import CLINICIAN_ONLY, ProgramView, name_of, read_patient
from backend.program.models import Attendance, ProgramSession, SessionSeries
from backend.rest import HandrailView, read_body

DAYS_BACK, DAYS_AHEAD = timedelta(days=30), timedelta(days=30)
LONGEST = timedelta(days=366)
SPAN = [OpenApiParameter("from", OpenApiTypes.DATE), OpenApiParameter("to", OpenApiTypes.DATE)]
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


def sessions_asked(request: Request, patient: Patient) -> list[ProgramSession]:
    """Those of the days `from` to `to` of the programme; a month each way unless told."""
    zone = ZoneInfo(patient.organisation.time_zone)
    today = timezone.now().astimezone(zone).date()
    given = request.query_params
    try:
        first = date.fromisoformat(given["from"]) if "from" in given else None
        last = date.fromisoformat(given["to"]) if "to" in given else None
        first = first or (last or today) - DAYS_BACK
        last = last or max(first, today) + DAYS_AHEAD
        if not timedelta(0) <= last - first <= LONGEST:
            raise ValueError
        ends = (datetime.combine(first, time(), zone), datetime.combine(last, time.max, zone))
    except (ValueError, OverflowError):
        words = _("from and to are days such as 2026-03-02, at most a year apart.")
        raise errors.Invalid("invalid_days", words) from None
    return selectors.sessions_between(patient.pk, *ends)


class SessionsView(ProgramView):
    allowed_roles = {"GET": CLINICIAN_ONLY, "POST": CLINICIAN_ONLY}
    show = staticmethod(show_stored)

    @extend_schema(
        operation_id="list_sessions",
        tags=["programme"],
        parameters=SPAN,
        responses={200: SessionList, **problems(400, 401, 403, 404)},
    )
    def get(self, request: Request, patient_id: UUID) -> Response:
        """A patient's sessions in order, with who came; a month each way unless told."""
        patient = read_patient(actor_of(request), patient_id, what="sessions")
        rows = sessions_asked(request, patient)
        return Response(SessionList(results=[show_session(row) for row in rows]))

    @extend_schema(
        operation_id="plan_session",
        tags=["programme"],
        request=SessionBody,
        responses={
            200: SessionAnswer,
            201: SessionAnswer,
            **problems(400, 401, 403, 404, 409, 413, 415),
        },
    )
    def post(self, request: Request, patient_id: UUID) -> Response:
        """Plans one session. The same id again answers the same one."""
        body = read_body(request, SessionBody)
        stored = services.plan_session(
            actor=actor_of(request),
            patient_id=patient_id,
            session_id=body.id,
            kind=body.kind,
            starts_at=body.starts_at,
            duration_minutes=body.duration_minutes,
            now=timezone.now(),
        )
        return self.answer(stored.row, is_new=stored.is_new)


class SessionSeriesView(ProgramView):
    allowed_roles = {"POST": CLINICIAN_ONLY}
    show = staticmethod(show_series)

    @extend_schema(
        operation_id="plan_session_series",
        tags=["programme"],
        request=SeriesBody,
        responses={
            200: SeriesAnswer,
            201: SeriesAnswer,
            **problems(400, 401, 403, 404, 409, 413, 415),
        },
    )
    def post(self, request: Request, patient_id: UUID) -> Response:
        """Plans every session of a weekly rule. The same id again answers the same series."""
        body = read_body(request, SeriesBody)
        stored = services.plan_series(
            actor=actor_of(request),
            patient_id=patient_id,
            series_id=body.id,
            kind=body.kind,
            first_on=body.first_on,
            at=body.at,
            duration_minutes=body.duration_minutes,
            rule=body.rule,
            now=timezone.now(),
        )
        return self.answer(stored.row, is_new=stored.is_new)


class SessionView(HandrailView):
    allowed_roles = {"DELETE": CLINICIAN_ONLY}

    @extend_schema(
        operation_id="cancel_session",
        tags=["programme"],
        request=None,
        responses={204: None, **problems(401, 403, 404, 409)},
    )
    def delete(self, request: Request, patient_id: UUID, session_id: UUID) -> Response:
        """Calls a session off: it stays in the record and nobody misses it."""
        services.cancel_session(
            actor=actor_of(request),
            patient_id=patient_id,
            session_id=session_id,
            now=timezone.now(),
        )
        return Response(status=204)


class AttendanceView(ProgramView):
    allowed_roles = {"POST": CLINICIAN_ONLY}
    show = staticmethod(show_stored)

    @extend_schema(
        operation_id="record_attendance",
        tags=["programme"],
        request=AttendanceBody,
        responses={
            200: SessionAnswer,
            201: SessionAnswer,
            **problems(400, 401, 403, 404, 409, 413, 415),
        },
    )
    def post(self, request: Request, patient_id: UUID, session_id: UUID) -> Response:
        """Records whether they came. With a new id it corrects what was recorded before."""
        body = read_body(request, AttendanceBody)
        stored = services.record_attendance(
            actor=actor_of(request),
            patient_id=patient_id,
            session_id=session_id,
            attendance_id=body.id,
            status=body.status,
            now=timezone.now(),
        )
        return self.answer(stored.row, is_new=stored.is_new)


class OwnSessionsView(HandrailView):
    allowed_roles = {"GET": frozenset({Role.PATIENT})}

    @extend_schema(
        operation_id="own_sessions",
        tags=["patient"],
        parameters=SPAN,
        responses={200: OwnSessionList, **problems(400, 401, 403)},
    )
    def get(self, request: Request) -> Response:
        """One's own sessions in order, with what was recorded; a month each way unless told."""
        patient = read_own_patient(actor_of(request), "sessions")
        rows = sessions_asked(request, patient)
        return Response(OwnSessionList(results=[show_own_session(row) for row in rows]))
