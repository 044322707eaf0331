"""Answers to nudges and prompts, and what was decided about them and why."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts.actor import Role
from backend.accounts.api.pages import PAGE_PARAMETERS, position
from backend.accounts.authentication import actor_of
from backend.aftercare import services
from backend.aftercare.api.clinicians import CLINICIAN_ONLY, read_patient
from backend.aftercare.models import Decision, Nudge, Prompt
from backend.aftercare.selectors import decisions_page
from backend.openapi import problems
from backend.rest import HandrailView, page, page_size, read_body

PATIENT_ONLY = frozenset({Role.PATIENT})


class SnoozeBody(Struct, forbid_unknown_fields=True):
    """When it shall come back, within 24 hours. In the night a nudge waits, a prompt lapses."""

    until: Annotated[datetime, Meta(tz=True)]


class RateBody(Struct, forbid_unknown_fields=True):
    """Whether it helped, or how much, or both."""

    helped: bool | None = None
    rating: Annotated[int, Meta(ge=1, le=5)] | None = None


class NudgeAnswer(Struct):
    """A nudge or a prompt with what one did about it."""

    id: UUID
    kind: str
    local_date: date
    dismissed_at: datetime | None
    snoozed_until: datetime | None
    helped: bool | None
    rating: int | None
    rated_at: datetime | None


class DecisionAnswer(Struct):
    """What was decided: `chosen` out of `options` for a `reason`, or nothing, and `why_not`."""

    id: UUID
    at: datetime
    local_date: date
    kind: str
    source: str
    known: dict[str, Any]
    options: list[str]
    chosen: str | None
    reason: str | None
    why_not: str | None


class DecisionPage(Struct):
    results: list[DecisionAnswer]
    next_cursor: str | None


def show_nudge(row: Nudge | Prompt) -> NudgeAnswer:
    return NudgeAnswer(
        id=row.pk,
        kind=row.kind,
        local_date=row.local_date,
        dismissed_at=row.dismissed_at,
        snoozed_until=row.snoozed_until,
        helped=row.helped,
        rating=row.rating,
        rated_at=row.rated_at,
    )


def show_decision(row: Decision) -> DecisionAnswer:
    return DecisionAnswer(
        id=row.pk,
        at=row.at,
        local_date=row.local_date,
        kind=row.kind,
        source=row.source,
        known=row.known,
        options=row.options,
        chosen=row.chosen or None,
        reason=row.reason or None,
        why_not=row.why_not or None,
    )


class DismissView(HandrailView):
    allowed_roles = {"POST": PATIENT_ONLY}

    @extend_schema(
        operation_id="dismiss_nudge",
        tags=["nudges"],
        request=None,
        responses={200: NudgeAnswer, **problems(401, 403, 404)},
    )
    def post(self, request: Request, nudge_id: UUID) -> Response:
        """Puts a nudge or a prompt aside. After several in a row Handrail says less."""
        row = services.dismiss_nudge(actor=actor_of(request), nudge_id=nudge_id, now=timezone.now())
        return Response(show_nudge(row))


class SnoozeView(HandrailView):
    allowed_roles = {"POST": PATIENT_ONLY}

    @extend_schema(
        operation_id="snooze_nudge",
        tags=["nudges"],
        request=SnoozeBody,
        responses={200: NudgeAnswer, **problems(400, 401, 403, 404, 413, 415)},
    )
    def post(self, request: Request, nudge_id: UUID) -> Response:
        """Has it come back later, within a day."""
        row = services.snooze_nudge(
            actor=actor_of(request),
            nudge_id=nudge_id,
            until=read_body(request, SnoozeBody).until,
            now=timezone.now(),
        )
        return Response(show_nudge(row))


class RateView(HandrailView):
    allowed_roles = {"POST": PATIENT_ONLY}

    @extend_schema(
        operation_id="rate_nudge",
        tags=["nudges"],
        request=RateBody,
        responses={200: NudgeAnswer, **problems(400, 401, 403, 404, 413, 415)},
    )
    def post(self, request: Request, nudge_id: UUID) -> Response:
        """Says whether it helped. Steps that help are shown first from then on."""
        body = read_body(request, RateBody)
        row = services.rate_nudge(
            actor=actor_of(request),
            nudge_id=nudge_id,
            helped=body.helped,
            rating=body.rating,
            now=timezone.now(),
        )
        return Response(show_nudge(row))


class DecisionsView(HandrailView):
    allowed_roles = {"GET": CLINICIAN_ONLY}

    @extend_schema(
        operation_id="list_decisions",
        tags=["care team"],
        parameters=PAGE_PARAMETERS,
        responses={200: DecisionPage, **problems(400, 401, 403, 404)},
    )
    def get(self, request: Request, patient_id: UUID) -> Response:
        """Every decision to say something to this patient or about them, or nothing, and why."""
        patient = read_patient(actor_of(request), patient_id, what="decisions")
        size = page_size(request)
        rows = decisions_page(patient.pk, size=size, before=position(request))
        answer = page(
            rows,
            size=size,
            show=show_decision,
            cursor_of=lambda row: (row.at.isoformat(), str(row.pk)),
        )
        return Response(DecisionPage(**answer))
