"""Reads of what care did. Callers hold a patient that `access_*` gave them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from django.db.models import BooleanField, F, QuerySet
from django.db.models.expressions import RawSQL

from backend.accounts.access import not_found
from backend.aftercare.models import AcuteReport, Alert, AlertEvidence, AlertStatus
from backend.notifications.models import Notification
from backend.tracking.windows import array_of


def alert_of_check_in(check_in_id: UUID) -> Alert | None:
    """The one alert that this check-in is evidence for."""
    return Alert.objects.filter(evidence__check_in_id=check_in_id).first()


def alert_of_report(report_id: UUID) -> Alert | None:
    """The one alert that this acute report is evidence for."""
    return Alert.objects.filter(evidence__acute_report_id=report_id).first()


def rules_of_check_in(check_in_id: UUID) -> list[str]:
    """The acute rules that held for this check-in, the most severe first."""
    evidence = AlertEvidence.objects.filter(check_in_id=check_in_id).first()
    return list(evidence.rules) if evidence else []


def rules_said_before(patient_id: UUID, client_id: UUID) -> set[str]:
    """The acute rules that this id raised already, as a stored check-in or as a refused body."""
    report = find_acute_report(patient_id, client_id)
    said = set(rules_of_check_in(client_id))
    return said | set(report.facts["rules"]) if report else said


def rules_refused_before(patient_id: UUID, client_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """For each of these ids the acute rules that a refused body raised under it, where one did."""
    reports = AcuteReport.objects.filter(patient_id=patient_id, client_id__in=client_ids)
    return {
        client_id: facts["rules"] for client_id, facts in reports.values_list("client_id", "facts")
    }


def find_acute_report(patient_id: UUID, client_id: UUID) -> AcuteReport | None:
    """What an acute body under this id has set off, whether or not it was stored."""
    return AcuteReport.objects.filter(patient_id=patient_id, client_id=client_id).first()


def alerts_of(patient_id: UUID) -> QuerySet[Alert]:
    """Open ones first, by due time; then the newest."""
    return (
        Alert.objects.filter(patient_id=patient_id)
        .select_related("acknowledged_by__clinician", "resolved_by__clinician")
        .order_by(F("resolved_at").desc(nulls_first=True), "due_at", "-opened_at")
    )


def open_alerts(patient_ids: Collection[UUID]) -> QuerySet[Alert]:
    """Alerts of these patients that nobody has resolved yet, acknowledged ones included."""
    # One array: a caseload's two hundred parameters cost more than the query they ask.
    ids = array_of(patient_ids)
    theirs = RawSQL("patient_id = ANY(%s::uuid[])", [ids], output_field=BooleanField())
    return Alert.objects.filter(theirs).exclude(status=AlertStatus.RESOLVED)


def find_alert(patient_id: UUID, alert_id: UUID) -> Alert:
    """Raises `NotFound` for another patient's alert as for none."""
    alert = alerts_of(patient_id).filter(pk=alert_id).prefetch_related("acts").first()
    if alert is None:
        raise not_found()
    return alert


def find_own_notification(user_id: UUID, notification_id: UUID) -> Notification:
    """Raises `NotFound` for another account's message as for none."""
    row = (
        Notification.objects.select_related("patient")
        .filter(pk=notification_id, recipient_id=user_id)
        .first()
    )
    if row is None:
        raise not_found()
    return row
