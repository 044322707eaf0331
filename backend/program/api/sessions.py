"""`/api/v1/patients/{patient_id}/sessions` and `/api/v1/me/sessions`: what a patient attends."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from backend import errors
from backend.accounts.access import read_own_patient
from backend.accounts.actor import Role
from backend.accounts.authentication import actor_of
from backend.accounts.models import Patient
from backend.openapi import problems
from backend.program import selectors, services
from backend.program.api.session_shapes import (
    AttendanceBody,
    MoveBody,
    OwnSessionList,
    SeriesAnswer,
    SeriesBody,
    SessionAnswer,
    SessionBody,
    SessionList,
    show_own_session,
    show_series,
    show_session,
    show_stored,
)
from backend.program.api.shared import CLINICIAN_ONLY, ProgramView, read_patient
from backend.program.models import ProgramSession
from backend.rest import HandrailView, read_body

DAYS_BACK, DAYS_AHEAD = timedelta(days=30), timedelta(days=30)
LONGEST = timedelta(days=366)
SPAN = [OpenApiParameter("from", OpenApiTypes.DATE), OpenApiParameter("to", OpenApiTypes.DATE)]


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


class MoveView(ProgramView):
    allowed_roles = {"POST": CLINICIAN_ONLY}
    show = staticmethod(show_stored)

    @extend_schema(
        operation_id="move_session",
        tags=["programme"],
        request=MoveBody,
        responses={
            200: SessionAnswer,
            201: SessionAnswer,
            **problems(400, 401, 403, 404, 409, 413, 415),
        },
    )
    def post(self, request: Request, patient_id: UUID, session_id: UUID) -> Response:
        """Puts a session at another time: it is called off and planned anew, in one.

        Nobody misses the one that did not take place. The same again answers the same session.
        """
        body = read_body(request, MoveBody)
        stored = services.move_session(
            actor=actor_of(request),
            patient_id=patient_id,
            session_id=session_id,
            moved_id=body.id,
            starts_at=body.starts_at,
            now=timezone.now(),
        )
        return self.answer(stored.row, is_new=stored.is_new)


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
