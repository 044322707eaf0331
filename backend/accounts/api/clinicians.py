"""The clinicians of an organisation and the care teams they form around patients."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts import audit, services
from backend.accounts.access import Scope, access_administrator, access_patient
from backend.accounts.actor import Role
from backend.accounts.api.pages import PAGE_PARAMETERS, cursor_of, position
from backend.accounts.api.signing_in import Email
from backend.accounts.authentication import actor_of
from backend.accounts.models import CareTeamMember, Clinician
from backend.accounts.selectors import care_team_of, clinicians_page
from backend.openapi import problems
from backend.rest import HandrailView, page, page_size, read_body

RoleOnTeam = Literal["therapist", "case_manager", "on_call", "clinical_supervisor"]


class ClinicianBody(Struct, forbid_unknown_fields=True):
    """`id` is made by the caller."""

    id: UUID
    email: Email
    display_name: Annotated[str, Meta(min_length=1, max_length=120, pattern=r"\S")]
    roles: Annotated[list[RoleOnTeam], Meta(min_length=1, max_length=4)]
    language: Literal["en", "es"] = "en"


class ClinicianAnswer(Struct):
    id: UUID
    email: str
    display_name: str
    roles: list[str]
    has_password: bool
    added_at: datetime


class ClinicianPage(Struct):
    results: list[ClinicianAnswer]
    next_cursor: str | None


class CareTeamMemberBody(Struct, forbid_unknown_fields=True):
    role: RoleOnTeam


class CareTeamMemberAnswer(Struct):
    clinician_id: UUID
    display_name: str
    role: str
    started_on: date


class CareTeamAnswer(Struct):
    results: list[CareTeamMemberAnswer]


def show_clinician(clinician: Clinician) -> ClinicianAnswer:
    return ClinicianAnswer(
        id=clinician.pk,
        email=clinician.user.email,
        display_name=clinician.display_name,
        roles=clinician.roles,
        has_password=clinician.user.has_usable_password(),
        added_at=clinician.created_at,
    )


def show_member(member: CareTeamMember) -> CareTeamMemberAnswer:
    return CareTeamMemberAnswer(
        clinician_id=member.clinician_id,
        display_name=member.clinician.display_name,
        role=member.role,
        started_on=member.started_on,
    )


class CliniciansView(HandrailView):
    allowed_roles = {
        "GET": frozenset({Role.ADMINISTRATOR}),
        "POST": frozenset({Role.ADMINISTRATOR}),
    }

    def extend_problem(self, request: Request, problem: dict[str, Any]) -> None:
        if isinstance(problem.get("stored"), Clinician):
            problem["stored"] = show_clinician(problem["stored"])

    @extend_schema(
        operation_id="list_clinicians",
        tags=["administration"],
        parameters=PAGE_PARAMETERS,
        responses={200: ClinicianPage, **problems(400, 401, 403)},
    )
    def get(self, request: Request) -> Response:
        """The clinicians of the administrator's organisation."""
        actor, size, after = actor_of(request), page_size(request), position(request)
        rows = clinicians_page(access_administrator(actor).organisation, size=size, after=after)
        return Response(page(rows, size=size, show=show_clinician, cursor_of=cursor_of))

    @extend_schema(
        operation_id="add_clinician",
        tags=["administration"],
        request=ClinicianBody,
        responses={
            200: ClinicianAnswer,
            201: ClinicianAnswer,
            **problems(400, 401, 403, 409, 413, 415),
        },
    )
    def post(self, request: Request) -> Response:
        """Adds a clinician and mails them a code to set their password. No one else sees it."""
        body = read_body(request, ClinicianBody)
        stored = services.invite_clinician(
            actor=actor_of(request),
            clinician_id=body.id,
            email=body.email,
            display_name=body.display_name,
            roles=body.roles,
            language=body.language,
            now=timezone.now(),
        )
        return Response(show_clinician(stored.row), status=201 if stored.is_new else 200)


class RemoveSecondStepBody(Struct, forbid_unknown_fields=True):
    """`code` is a fresh one of the administrator's own authenticator app, or a recovery code."""

    code: Annotated[str, Meta(min_length=1, max_length=40)]
    reason: Literal["lost_phone", "new_phone", "suspected_misuse", "other"]


class RemoveSecondStepView(HandrailView):
    allowed_roles = {"POST": frozenset({Role.ADMINISTRATOR})}

    @extend_schema(
        operation_id="remove_second_step",
        tags=["administration"],
        request=RemoveSecondStepBody,
        responses={204: None, **problems(400, 401, 403, 404, 413, 415, 429)},
    )
    def post(self, request: Request, clinician_id: UUID) -> Response:
        """Takes away a colleague's authenticator app, recovery codes and passkeys.

        All their sign-ins end, and they are told by mail. Make sure first, in person or by a
        call, that it is them who ask: whoever has their password sets up the next app.
        """
        body = read_body(request, RemoveSecondStepBody)
        services.remove_colleagues_second_factors(
            actor=actor_of(request),
            clinician_id=clinician_id,
            reason=body.reason,
            code=body.code,
            now=timezone.now(),
        )
        return Response(status=204)


class CareTeamView(HandrailView):
    allowed_roles = {"GET": frozenset({Role.ADMINISTRATOR, Role.CLINICIAN})}

    @extend_schema(
        operation_id="care_team",
        tags=["care team"],
        responses={200: CareTeamAnswer, **problems(401, 403, 404)},
    )
    def get(self, request: Request, patient_id: UUID) -> Response:
        """Who is on this patient's care team today."""
        actor = actor_of(request)
        patient = access_patient(actor, patient_id, scope=Scope.ADMINISTRATIVE, reading=True)
        members = care_team_of(patient, on=timezone.now().date())
        audit.record(actor=actor, action="care_team.read", patient_id=patient.pk)
        return Response(CareTeamAnswer(results=[show_member(member) for member in members]))


class CareTeamMemberView(HandrailView):
    allowed_roles = {
        "PUT": frozenset({Role.ADMINISTRATOR}),
        "DELETE": frozenset({Role.ADMINISTRATOR}),
    }

    @extend_schema(
        operation_id="set_care_team_member",
        tags=["administration"],
        request=CareTeamMemberBody,
        responses={
            200: CareTeamMemberAnswer,
            201: CareTeamMemberAnswer,
            **problems(400, 401, 403, 404, 413, 415),
        },
    )
    def put(self, request: Request, patient_id: UUID, clinician_id: UUID) -> Response:
        """Ties a clinician to a patient from today on, in this role. Safe to repeat."""
        stored = services.set_care_team_member(
            actor=actor_of(request),
            patient_id=patient_id,
            clinician_id=clinician_id,
            role=read_body(request, CareTeamMemberBody).role,
            now=timezone.now(),
        )
        return Response(show_member(stored.row), status=201 if stored.is_new else 200)

    @extend_schema(
        operation_id="end_care_team_member",
        tags=["administration"],
        request=None,
        responses={204: None, **problems(401, 403, 404)},
    )
    def delete(self, request: Request, patient_id: UUID, clinician_id: UUID) -> Response:
        """Ends the tie today: the clinician's next request is refused. Safe to repeat."""
        services.end_care_team_member(
            actor=actor_of(request),
            patient_id=patient_id,
            clinician_id=clinician_id,
            now=timezone.now(),
        )
        return Response(status=204)
