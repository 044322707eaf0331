"""`/api/v1/patients/{patient_id}/drug-tests`: results, for the care team."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts.authentication import actor_of
from backend.openapi import problems
from backend.program import selectors, services
from backend.program.api.shared import (
    CLINICIAN_ONLY,
    ProgramView,
    SubstanceName,
    name_of,
    read_patient,
)
from backend.program.models import DrugTest
from backend.rest import HandrailView, read_body


class DrugTestBody(Struct, forbid_unknown_fields=True):
    """`positive_for` only with `positive`, and empty where nobody said for what."""

    id: UUID
    collected_on: date
    result: Literal["negative", "positive", "refused", "missed"]
    positive_for: Annotated[list[SubstanceName], Meta(max_length=7)] = []


class DrugTestAnswer(Struct):
    id: UUID
    collected_on: date
    result: str
    positive_for: list[str]
    recorded_at: datetime
    recorded_by: str | None
    withdrawn_at: datetime | None


class DrugTestList(Struct):
    results: list[DrugTestAnswer]


def show_drug_test(row: DrugTest) -> DrugTestAnswer:
    return DrugTestAnswer(
        id=row.pk,
        collected_on=row.collected_on,
        result=row.result,
        positive_for=row.positive_for,
        recorded_at=row.recorded_at,
        recorded_by=name_of(row.recorded_by),
        withdrawn_at=row.withdrawn_at,
    )


class DrugTestsView(ProgramView):
    allowed_roles = {"GET": CLINICIAN_ONLY, "POST": CLINICIAN_ONLY}
    show = staticmethod(show_drug_test)

    @extend_schema(
        operation_id="list_drug_tests",
        tags=["programme"],
        responses={200: DrugTestList, **problems(401, 403, 404)},
    )
    def get(self, request: Request, patient_id: UUID) -> Response:
        """A patient's tests that stand, the newest first."""
        patient = read_patient(actor_of(request), patient_id, what="drug_tests")
        rows = selectors.drug_tests_of(patient.pk)
        return Response(DrugTestList(results=[show_drug_test(row) for row in rows]))

    @extend_schema(
        operation_id="record_drug_test",
        tags=["programme"],
        request=DrugTestBody,
        responses={
            200: DrugTestAnswer,
            201: DrugTestAnswer,
            **problems(400, 401, 403, 404, 409, 413, 415),
        },
    )
    def post(self, request: Request, patient_id: UUID) -> Response:
        """Enters a result. The same id again answers the same one. No message tells of it."""
        body = read_body(request, DrugTestBody)
        stored = services.record_drug_test(
            actor=actor_of(request),
            patient_id=patient_id,
            test_id=body.id,
            collected_on=body.collected_on,
            result=body.result,
            positive_for=body.positive_for,
            now=timezone.now(),
        )
        return self.answer(stored.row, is_new=stored.is_new)


class DrugTestView(HandrailView):
    allowed_roles = {"DELETE": CLINICIAN_ONLY}

    @extend_schema(
        operation_id="withdraw_drug_test",
        tags=["programme"],
        request=None,
        responses={204: None, **problems(401, 403, 404)},
    )
    def delete(self, request: Request, patient_id: UUID, test_id: UUID) -> Response:
        """Takes back a result that was entered by mistake: it counts no more."""
        services.withdraw_drug_test(
            actor=actor_of(request), patient_id=patient_id, test_id=test_id, now=timezone.now()
        )
        return Response(status=204)
