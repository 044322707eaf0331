"""Break-glass: asked for by a clinician, reviewed by the organisation's privacy officer."""

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
from backend.accounts.api.mfa import Code
from backend.accounts.api.pages import PAGE_PARAMETERS, position
from backend.accounts.authentication import actor_of
from backend.accounts.models import EmergencyAccess
from backend.openapi import problems
from backend.privacy import services
from backend.rest import HandrailView, page, page_size, read_body


class EmergencyAccessBody(Struct, forbid_unknown_fields=True):
    """`id` is made by the app. `code` is a fresh one of the authenticator app."""

    id: UUID
    reason: Annotated[str, Meta(min_length=10, max_length=2000, pattern=r"\S")]
    code: Code


class EmergencyAccessAnswer(Struct):
    """To read alone, from `opened_at` until `ends_at`."""

    id: UUID
    patient_id: UUID
    reason: str
    opened_at: datetime
    ends_at: datetime


class ReviewAnswer(Struct):
    finding: str
    note: str
    reviewed_at: datetime


class ReviewedAccessAnswer(Struct):
    """Who opened whose record, when and why; `review` is null until somebody reviewed it."""

    id: UUID
    patient_id: UUID
    clinician_id: UUID
    clinician: str
    reason: str
    opened_at: datetime
    ends_at: datetime
    review: ReviewAnswer | None


class EmergencyAccessPage(Struct):
    results: list[ReviewedAccessAnswer]
    next_cursor: str | None


class ReviewBody(Struct, forbid_unknown_fields=True):
    finding: Literal["justified", "not_justified"]
    note: Annotated[str, Meta(max_length=2000)] = ""


def show_access(row: EmergencyAccess) -> EmergencyAccessAnswer:
    return EmergencyAccessAnswer(
        id=row.pk,
        patient_id=row.patient_id,
        reason=row.reason,
        opened_at=row.opened_at,
        ends_at=row.ends_at,
    )


def show_reviewed(row: EmergencyAccess) -> ReviewedAccessAnswer:
    review = getattr(row, "review", None)
    return ReviewedAccessAnswer(
        id=row.pk,
        patient_id=row.patient_id,
        clinician_id=row.clinician_id,
        clinician=row.clinician.display_name,
        reason=row.reason,
        opened_at=row.opened_at,
        ends_at=row.ends_at,
        review=ReviewAnswer(review.finding, review.note, review.reviewed_at) if review else None,
    )


class EmergencyAccessView(HandrailView):
    allowed_roles = {"POST": frozenset({Role.CLINICIAN})}

    @extend_schema(
        operation_id="open_emergency_access",
        tags=["care team"],
        request=EmergencyAccessBody,
        responses={
            200: EmergencyAccessAnswer,
            201: EmergencyAccessAnswer,
            **problems(400, 401, 403, 404, 409, 413, 415, 429),
        },
    )
    def post(self, request: Request, patient_id: UUID) -> Response:
        """Opens the record of a colleague's patient for an hour, to read alone.

        The privacy officer is told at once, the patient later. Safe to repeat.
        """
        body = read_body(request, EmergencyAccessBody)
        row, is_new = services.open_emergency_access(
            actor=actor_of(request),
            patient_id=patient_id,
            emergency_access_id=body.id,
            reason=body.reason,
            code=body.code,
            now=timezone.now(),
        )
        return Response(show_access(row), status=201 if is_new else 200)


class EmergencyAccessesView(HandrailView):
    allowed_roles = {"GET": frozenset({Role.ADMINISTRATOR})}

    @extend_schema(
        operation_id="list_emergency_accesses",
        tags=["administration"],
        parameters=PAGE_PARAMETERS,
        responses={200: EmergencyAccessPage, **problems(400, 401, 403)},
    )
    def get(self, request: Request) -> Response:
        """Every emergency access in the organisation, the newest first: for privacy officers."""
        size, before = page_size(request), position(request)
        rows = services.read_emergency_accesses(actor=actor_of(request), size=size, before=before)
        answer = page(
            rows,
            size=size,
            show=show_reviewed,
            cursor_of=lambda row: (row.opened_at.isoformat(), str(row.pk)),
        )
        return Response(answer)


class ReviewView(HandrailView):
    allowed_roles = {"POST": frozenset({Role.ADMINISTRATOR})}

    @extend_schema(
        operation_id="review_emergency_access",
        tags=["administration"],
        request=ReviewBody,
        responses={
            200: ReviewedAccessAnswer,
            **problems(400, 401, 403, 404, 409, 413, 415),
        },
    )
    def post(self, request: Request, emergency_access_id: UUID) -> Response:
        """Says whether it was justified, once. The same again changes nothing."""
        body = read_body(request, ReviewBody)
        row = services.review_emergency_access(
            actor=actor_of(request),
            emergency_access_id=emergency_access_id,
            finding=body.finding,
            note=body.note,
            now=timezone.now(),
        )
        return Response(show_reviewed(row))
