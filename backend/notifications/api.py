"""Receipts of messages, and the addresses at which a clinician is reached without a phone app."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from backend import errors
from backend.accounts.actor import Role
from backend.accounts.authentication import actor_of
from backend.notifications import services
from backend.notifications.models import ContactPoint
from backend.notifications.selectors import own_contact_points, web_push_key
from backend.openapi import problems
from backend.permissions import ANONYMOUS
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


class WebPushKeyAnswer(Struct):
    """`public_key` is what `PushManager.subscribe` takes as its `applicationServerKey`."""

    public_key: str


class WebPushKeyView(HandrailView):
    authentication_classes = ()
    allowed_roles = {"GET": frozenset({ANONYMOUS})}

    @extend_schema(
        operation_id="web_push_key",
        tags=["notifications"],
        responses={200: WebPushKeyAnswer, **problems(404)},
        auth=[],
    )
    def get(self, request: Request) -> Response:
        """What a browser subscribes to pushes with. Public; may be cached for an hour."""
        key = web_push_key(now=timezone.now())
        if not key:
            raise errors.NotFound(
                "no_web_push", _("Messages do not go to browsers from this server.")
            )
        return Response(
            WebPushKeyAnswer(public_key=key), headers={"Cache-Control": "public, max-age=3600"}
        )


class ContactPointBody(Struct, forbid_unknown_fields=True):
    """One e-mail address and one number at most; another takes the place of the first."""

    channel: Literal["email", "sms"]
    address: Annotated[str, Meta(min_length=5, max_length=254)]
    acute_only: bool = False


class ContactCodeBody(Struct, forbid_unknown_fields=True):
    code: Annotated[str, Meta(min_length=1, max_length=40)]


class ContactPointAnswer(Struct):
    """Used once `is_verified`, when no phone of the account has taken a message."""

    id: UUID
    channel: str
    address: str
    acute_only: bool
    is_verified: bool


class ContactPointsAnswer(Struct):
    results: list[ContactPointAnswer]


def show_contact_point(point: ContactPoint) -> ContactPointAnswer:
    return ContactPointAnswer(
        id=point.pk,
        channel=point.channel,
        address=point.address,
        acute_only=point.acute_only,
        is_verified=point.verified_at is not None,
    )


class ContactPointsView(HandrailView):
    allowed_roles = dict.fromkeys(("GET", "POST"), frozenset({Role.CLINICIAN}))

    @extend_schema(
        operation_id="list_contact_points",
        tags=["notifications"],
        responses={200: ContactPointsAnswer, **problems(401, 403)},
    )
    def get(self, request: Request) -> Response:
        """One's own addresses."""
        actor = actor_of(request)
        assert actor.user_id is not None
        shown = [show_contact_point(point) for point in own_contact_points(actor.user_id)]
        return Response(ContactPointsAnswer(results=shown))

    @extend_schema(
        operation_id="add_contact_point",
        tags=["notifications"],
        request=ContactPointBody,
        responses={200: ContactPointAnswer, **problems(400, 401, 403, 413, 415, 429)},
    )
    def post(self, request: Request) -> Response:
        """Adds an address, or changes when it is used; one not verified is sent a code."""
        body = read_body(request, ContactPointBody)
        point = services.add_contact_point(
            actor=actor_of(request),
            channel=body.channel,
            address=body.address,
            acute_only=body.acute_only,
            now=timezone.now(),
        )
        return Response(show_contact_point(point))


class ContactPointView(HandrailView):
    allowed_roles = {"DELETE": frozenset({Role.CLINICIAN})}

    @extend_schema(
        operation_id="remove_contact_point",
        tags=["notifications"],
        responses={204: None, **problems(401, 403, 404)},
    )
    def delete(self, request: Request, point_id: UUID) -> Response:
        """Nothing is sent there any more, nor what is queued already."""
        services.remove_contact_point(
            actor=actor_of(request), point_id=point_id, now=timezone.now()
        )
        return Response(status=204)


class ContactCodeView(HandrailView):
    allowed_roles = {"POST": frozenset({Role.CLINICIAN})}

    @extend_schema(
        operation_id="verify_contact_point",
        tags=["notifications"],
        request=ContactCodeBody,
        responses={200: ContactPointAnswer, **problems(400, 401, 403, 404, 413, 415, 429)},
    )
    def post(self, request: Request, point_id: UUID) -> Response:
        """Opens the address for messages, with the code that was sent there."""
        point = services.verify_contact_point(
            actor=actor_of(request),
            point_id=point_id,
            code=read_body(request, ContactCodeBody).code,
            now=timezone.now(),
        )
        return Response(show_contact_point(point))
