"""`/api/v1/me/safety-bundle`: help for when there is no connection."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from msgspec import Struct
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts import audit
from backend.accounts.access import access_own_patient
from backend.accounts.authentication import actor_of, language_of
from backend.aftercare.safety_bundle import safety_bundle
from backend.intake.api.hearing import PATIENT_ONLY
from backend.openapi import COUNTRY, problems
from backend.rest import HandrailView, asked_country


class SafetyBundleAnswer(Struct):
    """Keep it encrypted on the phone. Fetch again with `If-None-Match`; 304 means it stands."""

    version: str
    language: str
    acute_rules: dict[str, Any]
    texts: dict[str, Any]
    crisis_resources: list[dict[str, Any]]
    safety_plan: dict[str, Any] | None
    coping_steps: list[dict[str, Any]]
    support_contacts: list[dict[str, Any]]
    sources: dict[str, str]


class SafetyBundleView(HandrailView):
    allowed_roles = {"GET": PATIENT_ONLY}

    @extend_schema(
        operation_id="safety_bundle",
        tags=["help"],
        parameters=[COUNTRY],
        responses={200: SafetyBundleAnswer, 304: None, **problems(401, 403)},
    )
    def get(self, request: Request) -> Response:
        """Plan, words, lines, and the acute rules with test vectors, for helping offline."""
        actor = actor_of(request)
        patient = access_own_patient(actor)
        bundle = safety_bundle(
            patient,
            country=asked_country(request),
            language=language_of(request),
            now=timezone.now(),
        )
        etag = f'"{bundle["version"]}"'
        if etag in request.headers.get("If-None-Match", ""):
            response = Response(status=304)
        else:
            audit.record(actor=actor, action="safety_bundle.read", patient_id=patient.pk)
            response = Response(SafetyBundleAnswer(**bundle))
        response["ETag"] = etag
        # The app keeps it encrypted; no cache on the way or on the phone may.
        response["Cache-Control"] = "no-store"
        return response
