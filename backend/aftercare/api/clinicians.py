"""What a clinician reads and does about a patient. Every route goes through `access_patient`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts import audit
from backend.accounts.access import access_patient
from backend.accounts.actor import Actor, Role
from backend.accounts.authentication import actor_of, language_of
from backend.accounts.models import Patient
from backend.aftercare import services
from backend.aftercare.explanations import explain_reasons
from backend.aftercare.models import Alert
from backend.aftercare.selectors import alerts_of, find_alert
from backend.aftercare.trend_answers import trend_answer
from backend.openapi import problems
from backend.rest import HandrailView, page, page_size, read_body
from backend.tracking.shapes import TrendAnswer

CLINICIAN_ONLY = frozenset({Role.CLINICIAN})
Post = TypeVar("Post", bound=Callable[..., Any])
Note = Annotated[str, Meta(max_length=4000)]


class AlertAnswer(Struct):
    """An alert with its reasons as sentences, the newest first."""

    id: UUID
    condition: str
    severity: str
    status: str
    is_historical: bool
    reasons: list[str]
    opened_at: datetime
    due_at: datetime | None
    round: int
    first_on: date
    last_on: date
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    resolved_at: datetime | None
    outcome: str | None
    look_again_on: date | None


class AlertPage(Struct):
    results: list[AlertAnswer]
    next_cursor: str | None


class AcknowledgeBody(Struct, forbid_unknown_fields=True):
    id: UUID


class ActBody(Struct, forbid_unknown_fields=True):
    """On `look_again_on`, a day within 90 days where the patient is, the alert comes back to the
    caseload and a clinician is told; without it a day that was chosen before is gone."""

    id: UUID
    note: Note
    look_again_on: date | None = None


class ResolveBody(Struct, forbid_unknown_fields=True):
    id: UUID
    outcome: Literal["reached", "not_reached", "welfare_check", "no_action_needed"]
    note: Note = ""


def show_alert(alert: Alert, *, language: str, today: date) -> AlertAnswer:
    by = alert.acknowledged_by
    clinician = getattr(by, "clinician", None) if by else None
    return AlertAnswer(
        id=alert.pk,
        condition=alert.condition,
        severity=alert.severity,
        status=alert.status,
        is_historical=alert.is_historical,
        reasons=explain_reasons(alert.reasons, language=language, today=today),
        opened_at=alert.opened_at,
        due_at=alert.due_at,
        round=alert.round,
        first_on=alert.first_on,
        last_on=alert.last_on,
        acknowledged_at=alert.acknowledged_at,
        acknowledged_by=clinician.display_name if clinician else None,
        resolved_at=alert.resolved_at,
        outcome=alert.outcome or None,
        look_again_on=alert.look_again_on,
    )


def _today(patient: Patient) -> date:
    return timezone.now().astimezone(ZoneInfo(patient.time_zone)).date()


def read_patient(actor: Actor, patient_id: UUID, *, what: str) -> Patient:
    """The patient through the one door, with the read in the audit log."""
    patient = access_patient(actor, patient_id, reading=True)
    audit.record(actor=actor, action=f"{what}.read", patient_id=patient.pk)
    return patient


class AlertsView(HandrailView):
    allowed_roles = {"GET": CLINICIAN_ONLY}

    @extend_schema(
        operation_id="list_alerts",
        tags=["care team"],
        parameters=[OpenApiParameter("limit", OpenApiTypes.INT)],
        responses={200: AlertPage, **problems(400, 401, 403, 404)},
    )
    def get(self, request: Request, patient_id: UUID) -> Response:
        """A patient's alerts: open ones first by due time, then the newest."""
        patient = read_patient(actor_of(request), patient_id, what="alerts")
        size = page_size(request, default=200)
        answer = page(
            alerts_of(patient.pk)[: size + 1],
            size=size,
            show=lambda alert: self._show(request, alert, patient),
            cursor_of=lambda alert: (str(alert.pk),),
        )
        return Response({**answer, "next_cursor": None})

    def _show(self, request: Request, alert: Alert, patient: Patient) -> AlertAnswer:
        return show_alert(alert, language=language_of(request), today=_today(patient))


class _AlertWrite(HandrailView):
    allowed_roles = {"POST": CLINICIAN_ONLY}

    def answer(self, request: Request, patient_id: UUID, alert_id: UUID) -> Response:
        patient = access_patient(actor_of(request), patient_id)
        alert = find_alert(patient_id, alert_id)
        shown = show_alert(alert, language=language_of(request), today=_today(patient))
        return Response(shown)


def _write_schema(operation_id: str, body: type[Struct]) -> Callable[[Post], Post]:
    decorator: Callable[[Post], Post] = extend_schema(
        operation_id=operation_id,
        tags=["care team"],
        request=body,
        responses={200: AlertAnswer, **problems(400, 401, 403, 404, 409, 413, 415)},
    )
    return decorator


class AcknowledgeView(_AlertWrite):
    @_write_schema("acknowledge_alert", AcknowledgeBody)
    def post(self, request: Request, patient_id: UUID, alert_id: UUID) -> Response:
        """Says "I have seen it". Covers only what came before; new evidence opens it again."""
        body = read_body(request, AcknowledgeBody)
        services.acknowledge_alert(
            actor=actor_of(request),
            patient_id=patient_id,
            alert_id=alert_id,
            act_id=body.id,
            now=timezone.now(),
        )
        return self.answer(request, patient_id, alert_id)


class ActView(_AlertWrite):
    @_write_schema("act_on_alert", ActBody)
    def post(self, request: Request, patient_id: UUID, alert_id: UUID) -> Response:
        """Records what was done: a call, a message, a visit."""
        body = read_body(request, ActBody)
        services.act_on_alert(
            actor=actor_of(request),
            patient_id=patient_id,
            alert_id=alert_id,
            act_id=body.id,
            note=body.note,
            look_again_on=body.look_again_on,
            now=timezone.now(),
        )
        return self.answer(request, patient_id, alert_id)


class ResolveView(_AlertWrite):
    @_write_schema("resolve_alert", ResolveBody)
    def post(self, request: Request, patient_id: UUID, alert_id: UUID) -> Response:
        """Closes the alert with its outcome."""
        body = read_body(request, ResolveBody)
        services.resolve_alert(
            actor=actor_of(request),
            patient_id=patient_id,
            alert_id=alert_id,
            act_id=body.id,
            outcome=body.outcome,
            note=body.note,
            now=timezone.now(),
        )
        return self.answer(request, patient_id, alert_id)


class PatientTrendsView(HandrailView):
    allowed_roles = {"GET": CLINICIAN_ONLY}

    @extend_schema(
        operation_id="patient_trends",
        tags=["care team"],
        responses={200: TrendAnswer, **problems(401, 403, 404)},
    )
    def get(self, request: Request, patient_id: UUID) -> Response:
        """A patient's trend against their own usual, with its reason in a sentence."""
        patient = read_patient(actor_of(request), patient_id, what="trends")
        return Response(trend_answer(patient, language=language_of(request), now=timezone.now()))
