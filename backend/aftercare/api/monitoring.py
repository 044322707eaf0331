"""Leaving monitoring and coming back, said in plain words: what ends, and what stays."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from msgspec import Struct
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts.actor import Role
from backend.accounts.authentication import actor_of, language_of
from backend.accounts.models import Patient
from backend.aftercare import services
from backend.aftercare.promise import monitoring_promise
from backend.aftercare.support import crisis_lines
from backend.aftercare.texts import render
from backend.openapi import COUNTRY, problems
from backend.rest import HandrailView, asked_country

PATIENT_ONLY = frozenset({Role.PATIENT})
ENDS = ("monitoring.ends_trends", "monitoring.ends_messages", "monitoring.ends_watching")
STAYS = (
    "monitoring.stays_help",
    "monitoring.stays_acute",
    "monitoring.stays_alerts",
    "monitoring.stays_record",
    "monitoring.stays_care",
)


class MonitoringAnswer(Struct):
    """`promise` is what every answer says from now on. `ends` is empty while somebody watches."""

    crisis_resources: list[dict[str, Any]]
    is_monitored: bool
    left_at: datetime | None
    promise: str
    ends: list[str]
    stays: list[str]


def _answer(request: Request, patient: Patient, *, now: datetime) -> Response:
    language = language_of(request)
    has_left = patient.left_monitoring_at is not None
    said = monitoring_promise(patient, alert=None, is_late=False, language=language, now=now)
    countries = [code for code in (asked_country(request), patient.country) if code]
    return Response(
        MonitoringAnswer(
            crisis_resources=crisis_lines(countries, language=language),
            is_monitored=patient.is_monitored,
            left_at=patient.left_monitoring_at,
            promise=said.statement,
            ends=[render(text, language=language) for text in ENDS if has_left],
            stays=[render(text, language=language) for text in STAYS if has_left],
        )
    )


class LeaveMonitoringView(HandrailView):
    allowed_roles = {"POST": PATIENT_ONLY}

    @extend_schema(
        operation_id="leave_monitoring",
        tags=["privacy"],
        parameters=[COUNTRY],
        request=None,
        responses={200: MonitoringAnswer, **problems(401, 403)},
    )
    def post(self, request: Request) -> Response:
        """Nobody watches what one records from now on; care goes on. Safe to repeat."""
        now = timezone.now()
        patient = services.leave_monitoring(actor=actor_of(request), now=now)
        return _answer(request, patient, now=now)


class ResumeMonitoringView(HandrailView):
    allowed_roles = {"POST": PATIENT_ONLY}

    @extend_schema(
        operation_id="resume_monitoring",
        tags=["privacy"],
        parameters=[COUNTRY],
        request=None,
        responses={200: MonitoringAnswer, **problems(401, 403)},
    )
    def post(self, request: Request) -> Response:
        """One is watched again as before. Safe to repeat."""
        now = timezone.now()
        patient = services.resume_monitoring(actor=actor_of(request), now=now)
        return _answer(request, patient, now=now)
