"""A patient's new normal: a clinician says from which day on days count towards their usual."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts.actor import Role
from backend.accounts.authentication import actor_of
from backend.aftercare import services
from backend.aftercare.api.clinicians import read_patient
from backend.openapi import problems
from backend.rest import HandrailView, read_body
from backend.tracking.baselines import baseline_starts_of
from backend.tracking.models import BaselineStart

CLINICIAN_ONLY = frozenset({Role.CLINICIAN})


class BaselineBody(Struct, forbid_unknown_fields=True):
    """`from_on` is the first day that counts towards the patient's usual."""

    id: UUID
    from_on: date
    reason: Annotated[str, Meta(min_length=1, max_length=1000)]


class BaselineAnswer(Struct):
    id: UUID
    from_on: date
    reason: str
    set_at: datetime
    set_by: str | None


class BaselinesAnswer(Struct):
    results: list[BaselineAnswer]


NEW_NORMAL = {
    "id": "0b8f5a44-6d0e-4a53-9a40-0f3f0f7d0c11",
    "from_on": "2026-03-02",
    "reason": "New medication since March; sleeps less, and is well with it.",
}
STARTED = {**NEW_NORMAL, "set_at": "2026-03-20T15:04:00Z", "set_by": "Dr. Ana Rivera"}


class BaselinesView(HandrailView):
    allowed_roles = {"GET": CLINICIAN_ONLY, "POST": CLINICIAN_ONLY}

    @extend_schema(
        operation_id="list_baselines",
        tags=["care team"],
        examples=[OpenApiExample("One", value={"results": [STARTED]}, response_only=True)],
        responses={200: BaselinesAnswer, **problems(401, 403, 404)},
    )
    def get(self, request: Request, patient_id: UUID) -> Response:
        """From which days on this patient's usual was counted anew; the first one holds."""
        patient = read_patient(actor_of(request), patient_id, what="baselines")
        rows = baseline_starts_of(patient.pk)
        return Response(BaselinesAnswer(results=[show_baseline(row) for row in rows]))

    @extend_schema(
        operation_id="start_baseline",
        tags=["care team"],
        request=BaselineBody,
        examples=[
            OpenApiExample("After a change of medication", value=NEW_NORMAL, request_only=True),
            OpenApiExample("Set", value=STARTED, response_only=True, status_codes=["200", "201"]),
        ],
        responses={
            200: BaselineAnswer,
            201: BaselineAnswer,
            **problems(400, 401, 403, 404, 409, 413, 415),
        },
    )
    def post(self, request: Request, patient_id: UUID) -> Response:
        """A new normal: days before `from_on` count no more towards the patient's usual.

        Until about 17 days after it the trend is unknown; acute rules hold all the while.
        """
        body = read_body(request, BaselineBody)
        start, is_new = services.start_baseline(
            actor=actor_of(request),
            patient_id=patient_id,
            start_id=body.id,
            from_on=body.from_on,
            reason=body.reason,
            now=timezone.now(),
        )
        return Response(show_baseline(start), status=201 if is_new else 200)


def show_baseline(start: BaselineStart) -> BaselineAnswer:
    clinician = getattr(start.set_by, "clinician", None)
    return BaselineAnswer(
        id=start.pk,
        from_on=start.from_on,
        reason=start.reason,
        set_at=start.set_at,
        set_by=clinician.display_name if clinician else None,
    )
