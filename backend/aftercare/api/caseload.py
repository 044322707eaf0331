"""A clinician's caseload: a query over the patients they may see, never a table."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from msgspec import Struct
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts import audit
from backend.accounts.access import visible_patients
from backend.accounts.actor import Role
from backend.accounts.authentication import actor_of, language_of
from backend.aftercare.caseload import CaseloadLine, caseload
from backend.openapi import problems
from backend.rest import HandrailView


class CaseloadLineAnswer(Struct):
    """One patient, with why they stand where they stand in the list.

    `missed_sessions` counts those missed in a row that still ask for outreach.
    """

    patient_id: UUID
    given_name: str
    family_name: str
    external_ref: str
    trend: str
    open_alerts: int
    worst_severity: str | None
    due_at: datetime | None
    days_silent: int | None
    missed_sessions: int
    reason: str


class CaseloadAnswer(Struct):
    results: list[CaseloadLineAnswer]


def _show(line: CaseloadLine) -> CaseloadLineAnswer:
    return CaseloadLineAnswer(
        patient_id=line.patient.pk,
        given_name=line.patient.given_name,
        family_name=line.patient.family_name,
        external_ref=line.patient.external_ref,
        trend=line.trend,
        open_alerts=line.open_alerts,
        worst_severity=line.worst_severity,
        due_at=line.due_at,
        days_silent=line.days_silent,
        missed_sessions=len(line.missed),
        reason=line.reason,
    )


class CaseloadView(HandrailView):
    allowed_roles = {"GET": frozenset({Role.CLINICIAN})}

    @extend_schema(
        operation_id="caseload",
        tags=["care team"],
        responses={200: CaseloadAnswer, **problems(401, 403)},
    )
    def get(self, request: Request) -> Response:
        """Everyone this clinician may see, who needs someone first on top."""
        actor = actor_of(request)
        patients = visible_patients(actor).filter(discharged_at__isnull=True)
        lines = caseload(patients, language=language_of(request), now=timezone.now())
        shown = [line.patient.pk for line in lines]
        audit.record_shown(actor=actor, action="caseload.read", patient_ids=shown)
        return Response(CaseloadAnswer(results=[_show(line) for line in lines]))
