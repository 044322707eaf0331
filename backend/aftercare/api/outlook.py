"""`/api/v1/patients/{patient_id}/outlook`: reasons to look closer, for the care team alone."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from msgspec import Struct
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts.actor import Role
from backend.accounts.authentication import actor_of, language_of
from backend.aftercare.api.clinicians import read_patient
from backend.aftercare.outlook_words import OutlookInWords, outlook_in_words
from backend.aftercare.texts import render
from backend.openapi import problems
from backend.rest import HandrailView
from backend.tracking.outlooks import read_outlook


class OutcomeAnswer(Struct):
    """`level` compares with weeks of the trials; `raises` and `lowers` are sentences, the
    strongest reason first. There is no number."""

    outcome: str
    title: str
    level: str
    raises: list[str]
    lowers: list[str]


class OutlookAnswer(Struct):
    """`note` says where it comes from: show it beside. Empty `results` are explained by `why_not`,
    and `as_of` is the last day that was looked at."""

    as_of: date | None
    note: str
    results: list[OutcomeAnswer]
    why_not: str | None


class OutlookView(HandrailView):
    allowed_roles = {"GET": frozenset({Role.CLINICIAN})}

    @extend_schema(
        operation_id="patient_outlook",
        tags=["care team"],
        responses={200: OutlookAnswer, **problems(401, 403, 404)},
    )
    def get(self, request: Request, patient_id: UUID) -> Response:
        """What tests, sessions and reported use spoke for in opioid-treatment trials."""
        patient = read_patient(actor_of(request), patient_id, what="outlook")
        language = language_of(request)
        reading = read_outlook(patient, now=timezone.now())
        found = outlook_in_words(reading, language=language) if reading else []
        return Response(
            OutlookAnswer(
                as_of=reading.history.last_on if reading else None,
                note=render("outlook.note", language=language),
                results=[_show(one) for one in found],
                why_not=None if found else render("outlook.unknown", language=language),
            )
        )


def _show(one: OutlookInWords) -> OutcomeAnswer:
    return OutcomeAnswer(one.outcome, one.title, one.level, one.raises, one.lowers)
