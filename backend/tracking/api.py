"""Reading check-ins: pages of them for their patient and for a clinician."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from msgspec import Struct
from rest_framework.request import Request
from rest_framework.response import Response

from backend import errors
from backend.accounts import audit
from backend.accounts.access import access_patient
from backend.accounts.actor import Role
from backend.accounts.authentication import actor_of
from backend.openapi import problems
from backend.rest import HandrailView, decode_cursor, page, page_size
from backend.tracking.selectors import check_ins_page
from backend.tracking.shapes import CheckInAnswer, show_check_in

PAGE_PARAMETERS = [
    OpenApiParameter("limit", OpenApiTypes.INT, description="1 to 200; 50 unless told."),
    OpenApiParameter("cursor", OpenApiTypes.STR, description="`next_cursor` of the page before."),
]


class CheckInPage(Struct):
    results: list[CheckInAnswer]
    next_cursor: str | None


def _position(cursor: str) -> tuple[datetime, UUID]:
    try:
        at, last_id = decode_cursor(cursor)
        return datetime.fromisoformat(at).astimezone(UTC), UUID(last_id)
    except (ValueError, OverflowError):
        raise errors.Invalid("invalid_cursor", _("This page marker is not one of ours.")) from None


def check_in_page(request: Request, patient_id: UUID, *, for_clinician: bool) -> dict[str, Any]:
    """One page, the newest first. A clinician sees the notes that the patient shared."""
    size = page_size(request)
    cursor = request.query_params.get("cursor")
    return page(
        check_ins_page(patient_id, size=size, before=_position(cursor) if cursor else None),
        size=size,
        show=lambda row: show_check_in(row, with_note=not for_clinician or row.note_shared),
        cursor_of=lambda row: (row.recorded_at.isoformat(), str(row.pk)),
    )


class PatientCheckInsView(HandrailView):
    allowed_roles = {"GET": frozenset({Role.CLINICIAN})}

    @extend_schema(
        operation_id="list_patient_check_ins",
        tags=["care team"],
        parameters=PAGE_PARAMETERS,
        responses={200: CheckInPage, **problems(400, 401, 403, 404)},
    )
    def get(self, request: Request, patient_id: UUID) -> Response:
        """A patient's check-ins, the newest first; notes only where they were shared."""
        actor = actor_of(request)
        patient = access_patient(actor, patient_id, reading=True)
        audit.record(actor=actor, action="check_ins.read", patient_id=patient.pk)
        return Response(check_in_page(request, patient.pk, for_clinician=True))
