"""Erasing what is one's own, and the legal hold that keeps it from being erased."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts.actor import Role
from backend.accounts.api.signing_in import Password
from backend.accounts.authentication import actor_of
from backend.openapi import problems
from backend.privacy import services
from backend.privacy.services import AskedErasure
from backend.rest import HandrailView, read_body

PATIENT_ONLY = frozenset({Role.PATIENT})
ADMINISTRATOR_ONLY = frozenset({Role.ADMINISTRATOR})


class ErasureBody(Struct, forbid_unknown_fields=True):
    password: Password


class ErasureAnswer(Struct):
    """`due_at` is when it is done; until then it can be taken back. `held`: the clinic has to keep
    the data for now, and it is done after that."""

    id: UUID
    status: Literal["waiting", "held"]
    requested_at: datetime
    due_at: datetime


class LegalHoldBody(Struct, forbid_unknown_fields=True):
    reason: Annotated[str, Meta(min_length=10, max_length=2000, pattern=r"\S")]


class LegalHoldAnswer(Struct):
    id: UUID
    patient_id: UUID
    reason: str
    set_at: datetime


def show_erasure(asked: AskedErasure) -> ErasureAnswer:
    return ErasureAnswer(
        id=asked.erasure.pk,
        status="held" if asked.is_held else "waiting",
        requested_at=asked.erasure.requested_at,
        due_at=asked.erasure.due_at,
    )


class OwnErasureView(HandrailView):
    allowed_roles = {"GET": PATIENT_ONLY, "POST": PATIENT_ONLY, "DELETE": PATIENT_ONLY}

    @extend_schema(
        operation_id="own_erasure",
        tags=["privacy"],
        responses={200: ErasureAnswer, **problems(401, 403, 404)},
    )
    def get(self, request: Request) -> Response:
        """Whether one's data will be erased, and when."""
        return Response(show_erasure(services.read_erasure(actor=actor_of(request))))

    @extend_schema(
        operation_id="request_erasure",
        tags=["privacy"],
        request=ErasureBody,
        responses={
            201: ErasureAnswer,
            200: ErasureAnswer,
            **problems(400, 401, 403, 413, 415, 429),
        },
    )
    def post(self, request: Request) -> Response:
        """Has everything erased that one entered, and the account closed, after some days.

        What the clinic recorded itself stays for as long as it has to keep it, without what you
        wrote. Asking again changes nothing.
        """
        asked = services.request_erasure(
            actor=actor_of(request),
            password=read_body(request, ErasureBody).password,
            now=timezone.now(),
        )
        return Response(show_erasure(asked), status=201 if asked.is_new else 200)

    @extend_schema(
        operation_id="cancel_erasure",
        tags=["privacy"],
        request=None,
        responses={204: None, **problems(401, 403, 404)},
    )
    def delete(self, request: Request) -> Response:
        """Takes the wish back, as long as it is not done."""
        services.cancel_erasure(actor=actor_of(request), now=timezone.now())
        return Response(status=204)


class LegalHoldView(HandrailView):
    allowed_roles = {"PUT": ADMINISTRATOR_ONLY, "DELETE": ADMINISTRATOR_ONLY}

    @extend_schema(
        operation_id="set_legal_hold",
        tags=["administration"],
        request=LegalHoldBody,
        responses={
            201: LegalHoldAnswer,
            200: LegalHoldAnswer,
            **problems(400, 401, 403, 404, 409, 413, 415),
        },
    )
    def put(self, request: Request, patient_id: UUID) -> Response:
        """Keeps everything of a patient from being erased until the hold is lifted."""
        held = services.set_legal_hold(
            actor=actor_of(request),
            patient_id=patient_id,
            reason=read_body(request, LegalHoldBody).reason,
            now=timezone.now(),
        )
        answer = LegalHoldAnswer(
            id=held.hold.pk,
            patient_id=held.hold.patient_id,
            reason=held.hold.reason,
            set_at=held.hold.set_at,
        )
        return Response(answer, status=201 if held.is_new else 200)

    @extend_schema(
        operation_id="lift_legal_hold",
        tags=["administration"],
        request=None,
        responses={204: None, **problems(401, 403, 404)},
    )
    def delete(self, request: Request, patient_id: UUID) -> Response:
        """Lifts the hold. An erasure that was waiting for it is done within a minute."""
        services.lift_legal_hold(actor=actor_of(request), patient_id=patient_id, now=timezone.now())
        return Response(status=204)
