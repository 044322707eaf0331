"""`/api/v1/on-call`: who is on call now and in the next days, and when nobody is."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts.authentication import actor_of
from backend.aftercare import rota, services
from backend.aftercare.api.escalation_ladder import ADMINISTRATOR_ONLY, STAFF, own_organisation
from backend.aftercare.ladder_selectors import RotaView, read_rota
from backend.aftercare.models import OnCallShift
from backend.openapi import problems
from backend.rest import HandrailView, read_body

Instant = Annotated[datetime, Meta(tz=True)]


class ShiftBody(Struct, forbid_unknown_fields=True):
    """From `starts_at` until just before `ends_at`: a week at most. Shifts may overlap."""

    id: UUID
    clinician_id: UUID
    starts_at: Instant
    ends_at: Instant


class ShiftAnswer(Struct):
    id: UUID
    clinician_id: UUID
    name: str
    starts_at: datetime
    ends_at: datetime


class OnCallPerson(Struct):
    clinician_id: UUID
    name: str


class Gap(Struct):
    starts_at: datetime
    ends_at: datetime


class OnCallAnswer(Struct):
    """Instants are UTC; `time_zone` is the organisation's own. Without a rota (`has_rota` false:
    before its first shift and after its last) everybody with the role is on call, and there are no
    gaps. `shifts` and `gaps` are those of the next 14 days."""

    time_zone: str
    has_rota: bool
    now: list[OnCallPerson]
    shifts: list[ShiftAnswer]
    gaps: list[Gap]


def show_shift(row: OnCallShift) -> ShiftAnswer:
    return ShiftAnswer(
        id=row.pk,
        clinician_id=row.clinician_id,
        name=row.clinician.display_name,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
    )


def show_rota(found: RotaView, *, now: datetime) -> OnCallAnswer:
    until = now + rota.SHOWN
    spans = [(row.starts_at, row.ends_at) for row in found.shifts]
    return OnCallAnswer(
        time_zone=found.time_zone,
        has_rota=found.has_rota,
        now=[OnCallPerson(one.pk, one.display_name) for one in found.on_call],
        shifts=[show_shift(row) for row in found.shifts],
        gaps=[Gap(*gap) for gap in rota.gaps(spans, since=now, until=until)] if spans else [],
    )


class OnCallView(HandrailView):
    allowed_roles = {"GET": STAFF}

    @extend_schema(
        operation_id="on_call",
        tags=["administration"],
        responses={200: OnCallAnswer, **problems(401, 403)},
    )
    def get(self, request: Request) -> Response:
        """Who is on call at one's organisation."""
        now = timezone.now()
        found = read_rota(own_organisation(request), now=now, until=now + rota.SHOWN)
        return Response(show_rota(found, now=now))


class OnCallShiftsView(HandrailView):
    allowed_roles = {"POST": ADMINISTRATOR_ONLY}

    @extend_schema(
        operation_id="add_on_call_shift",
        tags=["administration"],
        request=ShiftBody,
        responses={
            200: ShiftAnswer,
            201: ShiftAnswer,
            **problems(400, 401, 403, 409, 410, 413, 415),
        },
    )
    def post(self, request: Request) -> Response:
        """Puts a clinician on call. The same id again answers the same shift."""
        body = read_body(request, ShiftBody)
        shift, is_new = services.add_shift(
            actor=actor_of(request),
            shift_id=body.id,
            clinician_id=body.clinician_id,
            starts_at=body.starts_at,
            ends_at=body.ends_at,
            now=timezone.now(),
        )
        return Response(show_shift(shift), status=201 if is_new else 200)

    def extend_problem(self, request: Request, problem: dict[str, Any]) -> None:
        """What is stored goes with a conflict in the API's own form."""
        if problem["code"] == "id_conflict":
            problem["stored"] = show_shift(problem["stored"])


class OnCallShiftView(HandrailView):
    allowed_roles = {"DELETE": ADMINISTRATOR_ONLY}

    @extend_schema(
        operation_id="cancel_on_call_shift",
        tags=["administration"],
        request=None,
        responses={204: None, **problems(401, 403, 404)},
    )
    def delete(self, request: Request, shift_id: UUID) -> Response:
        """Takes a shift back, also one that has begun."""
        services.cancel_shift(actor=actor_of(request), shift_id=shift_id, now=timezone.now())
        return Response(status=204)
