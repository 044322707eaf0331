"""What was shown to whom: read by the patient and the care team, and made by the care team."""

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
from backend.accounts.api.consents import ConsentAnswer, Name, PurposeName, show_consent
from backend.accounts.api.pages import PAGE_PARAMETERS, position
from backend.accounts.authentication import actor_of, language_of
from backend.accounts.consent_scopes import ConsentScope
from backend.accounts.recipients import Recipient
from backend.openapi import problems
from backend.privacy import services
from backend.privacy.disclosure_models import Disclosure
from backend.privacy.services import Disclosed, Wish
from backend.rest import HandrailView, page, page_size, read_body

CLINICIAN_ONLY = frozenset({Role.CLINICIAN})
Scopes = Annotated[list[ConsentScope], Meta(min_length=1, max_length=20)]


class Receiver(Struct, forbid_unknown_fields=True):
    """The person who is shown something, and where they belong."""

    name: Name
    affiliation: Name

    def as_recipient(self) -> Recipient:
        return Recipient("person", self.name, self.affiliation)


class DisclosureBody(Struct, forbid_unknown_fields=True):
    """`id` is made by the app. `recipient` only where the consent names a kind of recipient.

    Days where the patient is, both included; the last 30 unless told.
    """

    id: UUID
    consent_id: UUID
    scopes: Scopes
    purpose: PurposeName
    first_on: date | None = None
    last_on: date | None = None
    recipient: Receiver | None = None


class EmergencyDisclosureBody(Struct, forbid_unknown_fields=True):
    """`recipient` is medical personnel with the place they work for; `nature` of the emergency."""

    id: UUID
    recipient: Receiver
    nature: Annotated[str, Meta(min_length=1, max_length=2000, pattern=r"\S")]
    scopes: Scopes
    first_on: date | None = None
    last_on: date | None = None


class DisclosureAnswer(Struct):
    """What was shown, in counts by kind. `basis` is consent or medical_emergency."""

    id: UUID
    basis: str
    consent_id: UUID | None
    scopes: list[str]
    counts: dict[str, int]
    first_on: date
    last_on: date
    recipient_kind: str
    recipient_name: str
    recipient_affiliation: str
    purpose: str
    nature: str
    disclosed_at: datetime
    disclosed_by: str
    notice: str


class DisclosedAnswer(Struct):
    """`shown` by scope, in the first answer alone. Hand on `notice` and `consent` with it."""

    disclosure: DisclosureAnswer
    shown: dict[str, list[dict[str, Any]]]
    notice: str
    consent: ConsentAnswer | None


class DisclosurePage(Struct):
    results: list[DisclosureAnswer]
    next_cursor: str | None


def show_disclosure(row: Disclosure) -> DisclosureAnswer:
    return DisclosureAnswer(
        id=row.pk,
        basis=row.basis,
        consent_id=row.consent_id,
        scopes=row.scopes,
        counts=row.counts,
        first_on=row.first_on,
        last_on=row.last_on,
        recipient_kind=row.recipient_kind,
        recipient_name=row.recipient_name,
        recipient_affiliation=row.recipient_affiliation,
        purpose=row.purpose,
        nature=row.nature,
        disclosed_at=row.disclosed_at,
        disclosed_by=row.discloser_name,
        notice=row.notice,
    )


def _answer(done: Disclosed) -> Response:
    answer = DisclosedAnswer(
        disclosure=show_disclosure(done.row),
        shown={scope: [dict(row) for row in rows] for scope, rows in done.shown.items()},
        notice=done.row.notice,
        consent=show_consent(done.consent) if done.consent else None,
    )
    return Response(answer, status=201 if done.is_new else 200)


def _page(request: Request, rows: list[Disclosure], size: int) -> Response:
    answer = page(
        rows,
        size=size,
        show=show_disclosure,
        cursor_of=lambda row: (row.disclosed_at.isoformat(), str(row.pk)),
    )
    return Response(answer)


class _MakesDisclosures(HandrailView):
    def extend_problem(self, request: Request, problem: dict[str, Any]) -> None:
        if isinstance(problem.get("stored"), Disclosure):
            problem["stored"] = show_disclosure(problem["stored"])


class OwnDisclosuresView(HandrailView):
    allowed_roles = {"GET": frozenset({Role.PATIENT})}

    @extend_schema(
        operation_id="list_disclosures",
        tags=["privacy"],
        parameters=PAGE_PARAMETERS,
        responses={200: DisclosurePage, **problems(400, 401, 403)},
    )
    def get(self, request: Request) -> Response:
        """What of one's record was shown to whom outside the care team, the newest first."""
        size, before = page_size(request), position(request)
        rows = services.read_own_disclosures(actor=actor_of(request), size=size, before=before)
        return _page(request, rows, size)


class DisclosuresView(_MakesDisclosures):
    allowed_roles = {"GET": CLINICIAN_ONLY, "POST": CLINICIAN_ONLY}

    @extend_schema(
        operation_id="list_patient_disclosures",
        tags=["care team"],
        parameters=PAGE_PARAMETERS,
        responses={200: DisclosurePage, **problems(400, 401, 403, 404)},
    )
    def get(self, request: Request, patient_id: UUID) -> Response:
        """What of a patient's record was shown to whom, the newest first."""
        size, before = page_size(request), position(request)
        rows = services.read_disclosures(
            actor=actor_of(request), patient_id=patient_id, size=size, before=before
        )
        return _page(request, rows, size)

    @extend_schema(
        operation_id="disclose",
        tags=["care team"],
        request=DisclosureBody,
        responses={
            200: DisclosedAnswer,
            201: DisclosedAnswer,
            **problems(400, 401, 403, 404, 409, 413, 415),
        },
    )
    def post(self, request: Request, patient_id: UUID) -> Response:
        """Reads out what a live consent covers, to hand to whom it names, and keeps a row of it.

        404 where the consent does not cover all of it now. Sent again it answers the row alone.
        """
        body = read_body(request, DisclosureBody)
        done = services.disclose(
            actor=actor_of(request),
            patient_id=patient_id,
            consent_id=body.consent_id,
            purpose=body.purpose,
            recipient=body.recipient.as_recipient() if body.recipient else None,
            wish=Wish(body.id, body.scopes, body.first_on, body.last_on, language_of(request)),
            now=timezone.now(),
        )
        return _answer(done)


class EmergencyDisclosuresView(_MakesDisclosures):
    allowed_roles = {"POST": CLINICIAN_ONLY}

    @extend_schema(
        operation_id="disclose_in_emergency",
        tags=["care team"],
        request=EmergencyDisclosureBody,
        responses={
            200: DisclosedAnswer,
            201: DisclosedAnswer,
            **problems(400, 401, 403, 404, 409, 413, 415),
        },
    )
    def post(self, request: Request, patient_id: UUID) -> Response:
        """Reads out what medical personnel need in a medical emergency, without any consent.

        42 CFR 2.51. The patient reads it in their list.
        """
        body = read_body(request, EmergencyDisclosureBody)
        done = services.disclose_in_emergency(
            actor=actor_of(request),
            patient_id=patient_id,
            recipient=body.recipient.as_recipient(),
            nature=body.nature,
            wish=Wish(body.id, body.scopes, body.first_on, body.last_on, language_of(request)),
            now=timezone.now(),
        )
        return _answer(done)
