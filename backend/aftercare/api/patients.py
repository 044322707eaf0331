"""What a patient reads: help, one message, one's own trends."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from msgspec import Struct
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts.access import access_own_patient, read_own_patient
from backend.accounts.actor import Role
from backend.accounts.authentication import actor_of, language_of
from backend.aftercare.messages import message_for, nudge_id_of
from backend.aftercare.selectors import find_own_notification
from backend.aftercare.support import Support, crisis_lines, support_answer
from backend.aftercare.trend_answers import trend_answer
from backend.openapi import COUNTRY, problems
from backend.permissions import ANONYMOUS
from backend.rest import HandrailView, asked_country
from backend.tracking.shapes import TrendAnswer

LANGUAGE = OpenApiParameter("language", OpenApiTypes.STR, enum=["en", "es"])


class HelpAnswer(Struct):
    """Lines that anyone may call. An unknown country gets advice and never another's line."""

    country: str
    crisis_resources: list[dict[str, Any]]


class MessageAnswer(Struct):
    """One message, read after unlock by the random id that travelled.

    `nudge_id` is what it can be put aside, put off and rated by, where it can.
    """

    id: UUID
    kind: str
    title: str
    body: str
    created_at: datetime
    patient_id: UUID | None
    alert_id: UUID | None
    nudge_id: UUID | None = None


def asked_language(request: Request) -> str:
    asked = str(request.query_params.get("language", ""))
    return asked if asked in ("en", "es") else (get_language() or "en")[:2]


def public_crisis_lines(request: HttpRequest) -> dict[str, Any]:
    """For every problem: the lines of the country that the phone names, or advice without one."""
    country, language = asked_country(request), (get_language() or "en")[:2]
    return {"crisis_resources": crisis_lines([country] if country else [], language=language)}


class HelpView(HandrailView):
    authentication_classes = ()
    allowed_roles = {"GET": frozenset({ANONYMOUS})}

    @extend_schema(
        operation_id="help",
        tags=["help"],
        parameters=[COUNTRY, LANGUAGE],
        responses={200: HelpAnswer},
        auth=[],
    )
    def get(self, request: Request) -> Response:
        """Crisis lines of a country, for anyone, without signing in. May be cached for a day."""
        country, language = asked_country(request), asked_language(request)
        lines = crisis_lines([country] if country else [], language=language)
        response = Response(HelpAnswer(country=country, crisis_resources=lines))
        response["Cache-Control"] = "public, max-age=86400"
        response["Vary"] = "Accept-Language"
        return response


class OwnHelpView(HandrailView):
    allowed_roles = {"GET": frozenset({Role.PATIENT})}

    @extend_schema(
        operation_id="own_help",
        tags=["help"],
        parameters=[COUNTRY],
        responses={200: Support, **problems(401, 403)},
    )
    def get(self, request: Request) -> Response:
        """The lines, one's own coping steps and support contacts. For an app to keep encrypted."""
        patient = access_own_patient(actor_of(request))
        answer = support_answer(
            patient,
            rules=[],
            substances=(),
            country=asked_country(request),
            language=language_of(request),
            now=timezone.now(),
            asks_for_help=True,
        )
        return Response(answer)


class OwnTrendsView(HandrailView):
    allowed_roles = {"GET": frozenset({Role.PATIENT})}

    @extend_schema(
        operation_id="own_trends",
        tags=["check-ins"],
        responses={200: TrendAnswer, **problems(401, 403)},
    )
    def get(self, request: Request) -> Response:
        """One's own trend against one's own usual, with its reason in a sentence."""
        patient = read_own_patient(actor_of(request), what="trends")
        return Response(trend_answer(patient, language=language_of(request), now=timezone.now()))


class OwnMessageView(HandrailView):
    allowed_roles = {"GET": frozenset({Role.PATIENT, Role.CLINICIAN, Role.ADMINISTRATOR})}

    @extend_schema(
        operation_id="own_message",
        tags=["help"],
        responses={200: MessageAnswer, **problems(401, 403, 404)},
    )
    def get(self, request: Request, notification_id: UUID) -> Response:
        """What a push was about, after unlock. Another account's id looks like none."""
        actor = actor_of(request)
        assert actor.user_id is not None
        row = find_own_notification(actor.user_id, notification_id)
        words = message_for(row, actor=actor, language=language_of(request))
        is_alert = row.subject.startswith("alert:") and actor.role is Role.CLINICIAN
        return Response(
            MessageAnswer(
                id=row.pk,
                kind=row.kind,
                title=words.title,
                body=words.body,
                created_at=row.created_at,
                patient_id=row.patient_id if is_alert else None,
                alert_id=UUID(row.subject.partition(":")[2]) if is_alert else None,
                nudge_id=nudge_id_of(row),
            )
        )
