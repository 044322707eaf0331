"""`/api/v1/me/support-contacts`: people one chose. No route here tells them anything."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from msgspec import UNSET, Meta, Struct, UnsetType
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts.access import access_own_patient
from backend.accounts.authentication import actor_of
from backend.aftercare import selectors, services
from backend.aftercare.api.own_items import PATIENT_ONLY, Order, OwnItemView, Words, values_of
from backend.aftercare.contacts import previews
from backend.aftercare.models import SupportContact
from backend.openapi import IF_MATCH, problems
from backend.rest import HandrailView, base_revision, read_body

Name = Annotated[str, Meta(max_length=100)]
Phone = Annotated[str, Meta(max_length=32, pattern=r"^[0-9+()./ -]*$")]
Email = Annotated[str, Meta(max_length=254, pattern=r"^([^@\s]+@[^@\s]+)?$")]
RelationName = Literal["sponsor", "family", "partner", "friend", "peer", "other"]
SituationName = Literal["asked", "strong_craving", "use_reported", "not_safe", "silence"]
Situations = Annotated[list[SituationName], Meta(max_length=5)]
Languages = Annotated[list[Annotated[str, Meta(min_length=2, max_length=8)]], Meta(max_length=5)]
NEEDED = ("name",)


class SupportContactBody(Struct, forbid_unknown_fields=True):
    """A person one chose. They are told nothing by this; `words` are what they would read."""

    id: UUID
    name: Name
    relation: RelationName
    phone: Phone = ""
    email: Email = ""
    languages: Languages = []
    situations: Situations = []
    words: Words = ""
    order: Order = 0


class SupportContactChanges(Struct, forbid_unknown_fields=True):
    """What is not sent stays as it is."""

    name: Name | UnsetType = UNSET
    relation: RelationName | UnsetType = UNSET
    phone: Phone | UnsetType = UNSET
    email: Email | UnsetType = UNSET
    languages: Languages | UnsetType = UNSET
    situations: Situations | UnsetType = UNSET
    words: Words | UnsetType = UNSET
    order: Order | UnsetType = UNSET


class SupportContactAnswer(Struct):
    """`opted_in_at` is the contact's own yes; without it nothing is ever sent to them."""

    id: UUID
    name: str
    relation: str
    phone: str
    email: str
    languages: list[str]
    situations: list[str]
    words: str
    order: int
    opted_in_at: datetime | None
    revision: int
    changed_at: datetime


class SupportContactList(Struct):
    results: list[SupportContactAnswer]


class ContactPreview(Struct):
    """What they would read in that situation, and why they are not told it, where they are not."""

    situation: SituationName
    text: str
    why_not: Literal["", "not_chosen", "no_consent", "not_agreed"]


class ContactPreviews(Struct):
    results: list[ContactPreview]


def show_contact(row: SupportContact) -> SupportContactAnswer:
    return SupportContactAnswer(
        id=row.pk,
        name=row.name,
        relation=row.relation,
        phone=row.phone,
        email=row.email,
        languages=row.languages,
        situations=row.situations,
        words=row.words,
        order=row.order,
        opted_in_at=row.opted_in_at,
        revision=row.revision,
        changed_at=row.changed_at,
    )


class SupportContactsView(OwnItemView):
    allowed_roles = {"GET": PATIENT_ONLY, "POST": PATIENT_ONLY}
    show = staticmethod(show_contact)

    @extend_schema(
        operation_id="list_support_contacts",
        tags=["own plan"],
        responses={200: SupportContactList, **problems(401, 403)},
    )
    def get(self, request: Request) -> Response:
        """The people one chose, in one's own order."""
        patient = access_own_patient(actor_of(request))
        rows = selectors.own_items(SupportContact, patient.pk)
        return Response(SupportContactList(results=[show_contact(row) for row in rows]))

    @extend_schema(
        operation_id="add_support_contact",
        tags=["own plan"],
        request=SupportContactBody,
        responses={
            200: SupportContactAnswer,
            201: SupportContactAnswer,
            **problems(400, 401, 403, 409, 410, 413, 415),
        },
    )
    def post(self, request: Request) -> Response:
        """Adds a person one chose. Nobody is told. The same id again answers the same one."""
        body = read_body(request, SupportContactBody)
        stored = services.store_item(
            actor=actor_of(request),
            kind=SupportContact,
            item_id=body.id,
            values=values_of(body, needed=NEEDED),
            now=timezone.now(),
        )
        return self.answer(stored.row, status=201 if stored.is_new else 200)


class SupportContactView(OwnItemView):
    allowed_roles = {"PATCH": PATIENT_ONLY, "DELETE": PATIENT_ONLY}
    show = staticmethod(show_contact)

    @extend_schema(
        operation_id="amend_support_contact",
        tags=["own plan"],
        parameters=[IF_MATCH],
        request=SupportContactChanges,
        responses={
            200: SupportContactAnswer,
            **problems(400, 401, 403, 404, 409, 410, 413, 415, 428),
        },
    )
    def patch(self, request: Request, contact_id: UUID) -> Response:
        """Changes the fields sent. A new phone or address needs the person's yes again."""
        stored = services.amend_item(
            actor=actor_of(request),
            kind=SupportContact,
            item_id=contact_id,
            base_revision=base_revision(request),
            changes=values_of(read_body(request, SupportContactChanges), needed=NEEDED),
            now=timezone.now(),
        )
        return self.answer(stored.row)

    @extend_schema(
        operation_id="remove_support_contact",
        tags=["own plan"],
        request=None,
        responses={204: None, **problems(401, 403, 404)},
    )
    def delete(self, request: Request, contact_id: UUID) -> Response:
        """Removes the person at once. They are not told, and nothing reaches them any more."""
        services.remove_item(
            actor=actor_of(request), kind=SupportContact, item_id=contact_id, now=timezone.now()
        )
        return Response(status=204)


class ContactPreviewView(HandrailView):
    allowed_roles = {"GET": PATIENT_ONLY}

    @extend_schema(
        operation_id="preview_support_contact",
        tags=["own plan"],
        responses={200: ContactPreviews, **problems(401, 403, 404)},
    )
    def get(self, request: Request, contact_id: UUID) -> Response:
        """Word for word what this person would be told, by situation. Sends nothing.

        One is called as in one's invitation to them, and by one's own name before there is one.
        """
        patient = access_own_patient(actor_of(request))
        contact = selectors.find_own_contact(patient.pk, contact_id)
        covered = selectors.consented_situations(contact, at=timezone.now())
        asked = selectors.find_live_invitation(contact.pk)
        name = asked.shown_as if asked else patient.given_name
        shown = [
            ContactPreview(one.situation, one.text, one.why_not)  # type: ignore[arg-type]
            for one in previews(contact, name=name, consented=covered)
        ]
        return Response(ContactPreviews(results=shown))
