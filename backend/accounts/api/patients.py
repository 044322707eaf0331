"""What an organisation's administrators do about patients; nothing here is clinical."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts import audit, services
from backend.accounts.access import access_administrator
from backend.accounts.actor import Role
from backend.accounts.api.pages import PAGE_PARAMETERS, cursor_of, position
from backend.accounts.authentication import actor_of
from backend.accounts.models import Patient
from backend.accounts.selectors import patients_page
from backend.openapi import problems
from backend.rest import HandrailView, page, page_size, read_body

Name = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"\S")]


class PatientBody(Struct, forbid_unknown_fields=True):
    """`id` is made by the caller. `country` and `time_zone` are the organisation's if left out."""

    id: UUID
    given_name: Name
    family_name: Annotated[str, Meta(max_length=100)] = ""
    born_on: date | None = None
    country: Annotated[str, Meta(pattern=r"^[A-Z]{2}$")] | None = None
    time_zone: Annotated[str, Meta(max_length=64)] | None = None


class PatientAnswer(Struct):
    """A patient as an administrator sees them."""

    id: UUID
    given_name: str
    family_name: str
    born_on: date | None
    country: str
    time_zone: str
    added_at: datetime
    enrolled_at: datetime | None
    discharged_at: datetime | None


class PatientPage(Struct):
    results: list[PatientAnswer]
    next_cursor: str | None


class EnrolmentCodeAnswer(Struct):
    code: str
    expires_at: datetime


def show_patient(patient: Patient) -> PatientAnswer:
    return PatientAnswer(
        id=patient.pk,
        given_name=patient.given_name,
        family_name=patient.family_name,
        born_on=patient.born_on,
        country=patient.country,
        time_zone=patient.time_zone,
        added_at=patient.created_at,
        enrolled_at=patient.enrolled_at,
        discharged_at=patient.discharged_at,
    )


class AddPatientView(HandrailView):
    """The half of `/patients` that adds; reading the caseload is the clinicians' half."""

    allowed_roles = {"POST": frozenset({Role.ADMINISTRATOR})}

    def extend_problem(self, request: Request, problem: dict[str, Any]) -> None:
        super().extend_problem(request, problem)
        if isinstance(problem.get("stored"), Patient):
            problem["stored"] = show_patient(problem["stored"])

    @extend_schema(
        operation_id="add_patient",
        tags=["administration"],
        request=PatientBody,
        responses={
            200: PatientAnswer,
            201: PatientAnswer,
            **problems(400, 401, 403, 409, 413, 415),
        },
    )
    def post(self, request: Request) -> Response:
        """Adds a person to the organisation's list. Sent again, it answers 200 with the same."""
        body = read_body(request, PatientBody)
        stored = services.register_patient(
            actor=actor_of(request),
            patient_id=body.id,
            given_name=body.given_name,
            family_name=body.family_name,
            born_on=body.born_on,
            country=body.country,
            time_zone=body.time_zone,
            now=timezone.now(),
        )
        return Response(show_patient(stored.row), status=201 if stored.is_new else 200)


class PatientsView(HandrailView):
    allowed_roles = {"GET": frozenset({Role.ADMINISTRATOR})}

    @extend_schema(
        operation_id="list_patients",
        tags=["administration"],
        parameters=PAGE_PARAMETERS,
        responses={200: PatientPage, **problems(400, 401, 403)},
    )
    def get(self, request: Request) -> Response:
        """Everyone on the organisation's list, and nothing of what they record."""
        actor, size, after = actor_of(request), page_size(request), position(request)
        rows = patients_page(access_administrator(actor).organisation, size=size, after=after)
        answer = page(rows, size=size, show=show_patient, cursor_of=cursor_of)
        shown = [row.id for row in answer["results"]]
        audit.record_shown(actor=actor, action="patients.read", patient_ids=shown)
        return Response(answer)


class EnrolmentCodesView(HandrailView):
    allowed_roles = {"POST": frozenset({Role.CLINICIAN, Role.ADMINISTRATOR})}

    @extend_schema(
        operation_id="issue_enrolment_code",
        tags=["care team"],
        request=None,
        responses={201: EnrolmentCodeAnswer, **problems(401, 403, 404, 409)},
    )
    def post(self, request: Request, patient_id: UUID) -> Response:
        """A one-time code for this patient; earlier unused codes stop working."""
        issued = services.issue_enrolment_code(
            actor=actor_of(request), patient_id=patient_id, now=timezone.now()
        )
        answer = EnrolmentCodeAnswer(code=issued.code, expires_at=issued.expires_at)
        return Response(answer, status=201)
