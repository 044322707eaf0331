"""Asking a support contact whether they agree, and calling for one who did."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts.access import access_own_patient
from backend.accounts.authentication import actor_of
from backend.aftercare import selectors, services
from backend.aftercare.api.own_items import PATIENT_ONLY
from backend.aftercare.contacts import language_of, message_to, question_to
from backend.aftercare.models import ContactInvitation, Situation, SupportContact
from backend.notifications.lock_screen import lock_screen
from backend.openapi import problems
from backend.rest import HandrailView, read_body


class InvitationBody(Struct, forbid_unknown_fields=True):
    """`shown_as` is how one is called on the page that they open; empty: not at all. With
    `only_preview` nothing is stored or sent."""

    channel: Literal["sms", "email"]
    shown_as: Annotated[str, Meta(max_length=60)] = ""
    only_preview: bool = False


class ContactWords(Struct):
    situation: str
    text: str


class InvitationAnswer(Struct):
    """`state` is `none`, `asked`, `agreed`, `declined` or `expired`. `message` is what is sent,
    whatever it is about; `page` is what the page behind its link says before they answer, and
    `told` what it says to who said yes, word for word, in each situation that the consent names."""

    state: Literal["none", "asked", "agreed", "declined", "expired"]
    channel: str
    shown_as: str
    invited_at: datetime | None
    expires_at: datetime | None
    answered_at: datetime | None
    message: str
    page: list[str]
    told: list[ContactWords]


class CallBody(Struct, forbid_unknown_fields=True):
    """`id` is made by the app: the same again is one call."""

    id: UUID


class CallAnswer(Struct):
    """It is on its way; a contact is not there to answer, and nobody watches whether they do."""

    queued_at: datetime


def show_invitation(
    contact: SupportContact, row: ContactInvitation | None, *, shown_as: str, now: datetime
) -> InvitationAnswer:
    language = language_of(contact)
    consented = selectors.consented_situations(contact, at=now)
    situations = [one for one in contact.situations if one in consented]
    shown = lock_screen(language)
    return InvitationAnswer(
        state=_state(row, now=now),
        channel=row.channel if row else "",
        shown_as=shown_as,
        invited_at=row.invited_at if row else None,
        expires_at=row.expires_at if row else None,
        answered_at=row.answered_at if row else None,
        message=f"{shown.title}: {shown.body}",
        page=question_to(shown_as, situations, language=language),
        told=[
            ContactWords(one, message_to(contact, Situation(one), name=shown_as))
            for one in situations
        ],
    )


def _state(
    row: ContactInvitation | None, *, now: datetime
) -> Literal["none", "asked", "agreed", "declined", "expired"]:
    if row is None:
        return "none"
    if row.answer == "yes":
        return "agreed"
    if row.answer == "no":
        return "declined"
    return "asked" if row.expires_at > now else "expired"


class InvitationView(HandrailView):
    allowed_roles = dict.fromkeys(("GET", "POST", "DELETE"), PATIENT_ONLY)

    @extend_schema(
        operation_id="support_contact_invitation",
        tags=["own plan"],
        responses={200: InvitationAnswer, **problems(401, 403, 404)},
    )
    def get(self, request: Request, contact_id: UUID) -> Response:
        """Whether this person was asked, and what they said."""
        patient = access_own_patient(actor_of(request))
        contact = selectors.find_own_contact(patient.pk, contact_id)
        row = selectors.find_live_invitation(contact.pk)
        shown_as = row.shown_as if row else ""
        return Response(show_invitation(contact, row, shown_as=shown_as, now=timezone.now()))

    @extend_schema(
        operation_id="invite_support_contact",
        tags=["own plan"],
        request=InvitationBody,
        responses={200: InvitationAnswer, **problems(400, 401, 403, 404, 409, 413, 415, 429)},
    )
    def post(self, request: Request, contact_id: UUID) -> Response:
        """Asks this person once, by a neutral text with a link. Only their own yes counts."""
        body, now = read_body(request, InvitationBody), timezone.now()
        actor = actor_of(request)
        if body.only_preview:
            contact = selectors.find_own_contact(access_own_patient(actor).pk, contact_id)
            shown_as = body.shown_as.strip()
            return Response(show_invitation(contact, None, shown_as=shown_as, now=now))
        row = services.invite_contact(
            actor=actor,
            contact_id=contact_id,
            wanted=services.Wanted(body.channel, body.shown_as.strip()),
            now=now,
        )
        return Response(show_invitation(row.contact, row, shown_as=row.shown_as, now=now))

    @extend_schema(
        operation_id="withdraw_support_contact_invitation",
        tags=["own plan"],
        request=None,
        responses={204: None, **problems(401, 403, 404)},
    )
    def delete(self, request: Request, contact_id: UUID) -> Response:
        """Takes the question back, and a yes with it. They are not told; nothing reaches them."""
        services.withdraw_invitation(
            actor=actor_of(request), contact_id=contact_id, now=timezone.now()
        )
        return Response(status=204)


class CallView(HandrailView):
    allowed_roles = {"POST": PATIENT_ONLY}

    @extend_schema(
        operation_id="call_support_contact",
        tags=["own plan"],
        request=CallBody,
        responses={200: CallAnswer, **problems(400, 401, 403, 404, 409, 413, 415, 429)},
    )
    def post(self, request: Request, contact_id: UUID) -> Response:
        """Lets this person know that one asks for them, where they agreed to that."""
        body = read_body(request, CallBody)
        message = services.call_contact(
            actor=actor_of(request), contact_id=contact_id, call_id=body.id, now=timezone.now()
        )
        return Response(CallAnswer(queued_at=message.queued_at))
