"""Receipts: an app tells what became of the messages that were sent to it."""

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
from backend.accounts.authentication import actor_of
from backend.notifications import services
from backend.openapi import problems
from backend.rest import HandrailView, read_body


class ReceiptItem(Struct, forbid_unknown_fields=True):
    """`id` is the one that travelled with the push."""

    id: UUID
    event: Literal["received", "opened", "acted_on"]
    at: Annotated[datetime, Meta(tz=True)]


class ReceiptsBody(Struct, forbid_unknown_fields=True):
    receipts: Annotated[list[ReceiptItem], Meta(min_length=1, max_length=100)]


class ReceiptsAnswer(Struct):
    """How many were new, known already, or of no message of this account."""

    recorded: int
    known: int
    unknown: int


class ReceiptsView(HandrailView):
    allowed_roles = {"POST": frozenset({Role.PATIENT, Role.CLINICIAN})}

    @extend_schema(
        operation_id="send_receipts",
        tags=["notifications"],
        request=ReceiptsBody,
        responses={200: ReceiptsAnswer, **problems(400, 401, 403, 413, 415)},
    )
    def post(self, request: Request) -> Response:
        """Confirms messages as received, opened or acted on. In any order; safe to repeat."""
        body = read_body(request, ReceiptsBody)
        receipts = [
            services.Receipt(one.id, services.ReceiptEvent(one.event), one.at)
            for one in body.receipts
        ]
        done = services.record_receipts(
            actor=actor_of(request), receipts=receipts, now=timezone.now()
        )
        return Response(
            ReceiptsAnswer(recorded=done.recorded, known=done.known, unknown=done.unknown)
        )
