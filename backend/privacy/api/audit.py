"""Who saw a patient's data, and who read unusually many patients."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from msgspec import Struct
from rest_framework.request import Request
from rest_framework.response import Response

from backend import errors
from backend.accounts.actor import Role
from backend.accounts.api.pages import PAGE_PARAMETERS
from backend.accounts.authentication import actor_of, language_of
from backend.accounts.models import AuditEvent
from backend.openapi import problems
from backend.privacy import plain_words, services
from backend.privacy.models import MassRead
from backend.privacy.services.reading import AuditRecord, Days
from backend.rest import HandrailView, decode_cursor, page, page_size

DAY_PARAMETERS = [
    OpenApiParameter("from", OpenApiTypes.DATE, description="The first day, where the patient is."),
    OpenApiParameter("to", OpenApiTypes.DATE, description="The last day, included."),
]
PARAMETERS = [*DAY_PARAMETERS, *PAGE_PARAMETERS]


class AuditLine(Struct):
    """`kind` is read, list, write or refused; `role` is what the one who acted is."""

    at: datetime
    who: str
    role: str
    kind: str
    what: str


class AuditPage(Struct):
    results: list[AuditLine]
    next_cursor: str | None


class MassReadAnswer(Struct):
    """`patients` counts different ones within an hour; more than `allowed` is told."""

    id: UUID
    reader_id: UUID
    reader: str
    role: str
    patients: int
    allowed: int
    first_read_at: datetime
    last_read_at: datetime
    found_at: datetime


class MassReadPage(Struct):
    results: list[MassReadAnswer]
    next_cursor: str | None


def days_of(request: Request) -> Days:
    """As `days_said`, of what stands in the address."""
    return days_said(request.query_params.get("from"), request.query_params.get("to"))


def days_said(*said: str | None) -> Days:
    """The first and the last. Raises `Invalid` for no day, and for a last before the first."""
    try:
        first, last = (date.fromisoformat(given) if given else None for given in said)
    except ValueError:
        first, last = date.max, date.min
    if first and last and first > last:
        raise errors.Invalid(
            "invalid_days", _("from and to are days such as 2026-03-02, and from is not after to.")
        )
    return Days(first=first, last=last)


def position(request: Request, kind: Callable[[str], Any]) -> Any:
    """As `place_of`, of what stands in the address."""
    return place_of(request.query_params.get("cursor"), kind)


def place_of(cursor: str | None, kind: Callable[[str], Any]) -> Any:
    """Where the page before ended; None for the first. Raises `Invalid`."""
    if not cursor:
        return None
    try:
        at, last_id = decode_cursor(cursor)
        moment = datetime.fromisoformat(at)
        if moment.utcoffset() is None:
            raise ValueError("no zone")
        return moment, kind(last_id)
    except (ValueError, OverflowError):
        raise errors.Invalid("invalid_cursor", _("This page marker is not one of ours.")) from None


def row_number(text: str) -> int:
    """Raises `ValueError` for what no row can have."""
    number = int(text)
    if not 0 < number < 2**63:
        raise ValueError("out of range")
    return number


def show_for_patient(row: AuditEvent, record: AuditRecord, language: str) -> AuditLine:
    """In the words of `data/acts.toml`; colleagues by name, strangers by none."""
    said = plain_words.say_act(row.action, was_allowed=row.was_allowed, language=language)
    return _line(row, _who(row, record, language), said)


def show_for_administrator(row: AuditEvent, record: AuditRecord, language: str) -> AuditLine:
    """Who and when, and whether it was read or changed: nothing of what is recorded."""
    kind = plain_words.kind_of(row.action, was_allowed=row.was_allowed)
    who = record.administrators.get(row.actor_id) if row.actor_id else None
    said = plain_words.say_kind(kind, language=language)
    return _line(row, who or _who(row, record, language), said)


def _line(row: AuditEvent, who: str, what: str) -> AuditLine:
    kind = plain_words.kind_of(row.action, was_allowed=row.was_allowed)
    return AuditLine(at=row.at, who=who, role=row.actor_role, kind=kind, what=what)


def _who(row: AuditEvent, record: AuditRecord, language: str) -> str:
    name = record.clinicians.get(row.actor_id) if row.actor_id else None
    if name is not None:
        return name
    if row.actor_role == Role.SYSTEM:
        who = "system"
    elif row.actor_id is not None and row.actor_id == record.patient.user_id:
        who = "self"
    else:
        who = "administrator" if row.actor_id in record.administrators else "elsewhere"
    return plain_words.say_who(who, language=language)


def cursor_of(row: AuditEvent) -> tuple[str, str]:
    return row.at.isoformat(), str(row.pk)


class PatientAuditView(HandrailView):
    allowed_roles = {"GET": frozenset({Role.ADMINISTRATOR})}

    @extend_schema(
        operation_id="patient_audit",
        tags=["administration"],
        parameters=PARAMETERS,
        responses={200: AuditPage, **problems(400, 401, 403, 404)},
    )
    def get(self, request: Request, patient_id: UUID) -> Response:
        """Who of the staff opened or changed a patient's record, and who was refused.

        The newest first. Says nothing of what is in the record.
        """
        size, language = page_size(request), language_of(request)
        record = services.read_patient_audit(
            actor=actor_of(request),
            patient_id=patient_id,
            days=days_of(request),
            size=size,
            before=position(request, row_number),
        )
        answer = page(
            record.rows,
            size=size,
            show=lambda row: show_for_administrator(row, record, language),
            cursor_of=cursor_of,
        )
        return Response(answer)


class OwnAuditView(HandrailView):
    allowed_roles = {"GET": frozenset({Role.PATIENT})}

    @extend_schema(
        operation_id="own_audit",
        tags=["privacy"],
        parameters=PARAMETERS,
        responses={200: AuditPage, **problems(400, 401, 403)},
    )
    def get(self, request: Request) -> Response:
        """Who did what with one's own data, the newest first: one's own acts included."""
        size, language = page_size(request), language_of(request)
        record = services.read_own_audit(
            actor=actor_of(request),
            days=days_of(request),
            size=size,
            before=position(request, row_number),
        )
        answer = page(
            record.rows,
            size=size,
            show=lambda row: show_for_patient(row, record, language),
            cursor_of=cursor_of,
        )
        return Response(answer)


class MassReadsView(HandrailView):
    allowed_roles = {"GET": frozenset({Role.ADMINISTRATOR})}

    @extend_schema(
        operation_id="list_mass_reads",
        tags=["administration"],
        parameters=PAGE_PARAMETERS,
        responses={200: MassReadPage, **problems(400, 401, 403)},
    )
    def get(self, request: Request) -> Response:
        """Members of staff who opened unusually many patients' records within an hour."""
        size = page_size(request)
        rows = services.read_mass_reads(
            actor=actor_of(request), size=size, before=position(request, UUID)
        )
        answer = page(
            rows,
            size=size,
            show=show_mass_read,
            cursor_of=lambda row: (row.found_at.isoformat(), str(row.pk)),
        )
        return Response(answer)


def show_mass_read(row: MassRead) -> MassReadAnswer:
    clinician = getattr(row.reader, "clinician", None)
    return MassReadAnswer(
        id=row.pk,
        reader_id=row.reader_id,
        reader=clinician.display_name if clinician else row.reader.email,
        role=row.reader_role,
        patients=row.patients,
        allowed=row.allowed,
        first_read_at=row.first_read_at,
        last_read_at=row.last_read_at,
        found_at=row.found_at,
    )
