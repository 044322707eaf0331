"""Passing on what nobody has answered. Time stands in a column and is swept."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

import structlog
from django.db import transaction

from backend.accounts import audit
from backend.accounts.actor import Actor
from backend.accounts.models import ClinicianRole, Patient
from backend.accounts.selectors import clinicians_for
from backend.aftercare.decision_rules import Severity
from backend.aftercare.models import Alert, AlertAct, AlertActKind, AlertStatus
from backend.aftercare.policy import EXHAUSTED_RESTART_AFTER, RESPONSE
from backend.aftercare.services.alerts import subject_of, tell_level
from backend.notifications.models import NotificationKind, Priority
from backend.notifications.services import NotificationDraft, cancel_pending, queue_notifications

logger = structlog.get_logger(__name__)
ACTOR = Actor.system("escalate_due")
BATCH = 100


def escalate_due(*, now: datetime) -> int:
    """Moves each overdue alert one step on; returns how many. Any number of copies may run.

    An open one goes to the next level; past the last level the clinical supervisors, the operator
    and the patient are told that nobody answered. A critical one, also when acknowledged without
    an outcome, starts over.
    """
    moved = 0
    for alert_id, patient_id in _overdue(now=now):
        with transaction.atomic():
            moved += _escalate(alert_id, patient_id, now=now)
    return moved


def _overdue(*, now: datetime) -> list[tuple[UUID, UUID]]:
    rows = Alert.objects.filter(level_due_at__lte=now).exclude(status=AlertStatus.RESOLVED)
    return list(rows.order_by("level_due_at").values_list("pk", "patient_id")[:BATCH])


def _escalate(alert_id: UUID, patient_id: UUID, *, now: datetime) -> int:
    # The patient's lock first, as every writer takes it; a copy that waited finds nothing to do.
    patient = (
        Patient.objects.select_related("organisation", "user")
        .select_for_update(of=("self",), no_key=True, skip_locked=True)
        .filter(pk=patient_id)
        .first()
    )
    alert = (
        Alert.objects.select_for_update()
        .filter(pk=alert_id, level_due_at__lte=now)
        .exclude(status=AlertStatus.RESOLVED)
        .first()
    )
    if patient is None or alert is None:
        return 0
    if alert.status == AlertStatus.ACKNOWLEDGED:
        _start_over(alert, patient, now=now)
    elif alert.level + 1 < len(alert.ladder):
        alert.level += 1
        tell_level(alert, organisation_id=patient.organisation_id, now=now)
        _record(alert, AlertActKind.ESCALATED, now=now)
    else:
        _exhausted(alert, patient, now=now)
    return 1


def _start_over(alert: Alert, patient: Patient, *, now: datetime) -> None:
    cancel_pending(subject=subject_of(alert), now=now)
    alert.round += 1
    alert.level = 0
    alert.status = AlertStatus.OPEN
    alert.acknowledged_at = alert.acknowledged_by = alert.exhausted_at = None
    alert.save()
    tell_level(alert, organisation_id=patient.organisation_id, now=now)
    _record(alert, AlertActKind.RENEWED, now=now)


def _exhausted(alert: Alert, patient: Patient, *, now: datetime) -> None:
    already = alert.acts.filter(kind=AlertActKind.EXHAUSTED, facts__round=alert.round).exists()
    if already:
        _start_over(alert, patient, now=now)
        return
    # The operator is told an id, here and on their page, and nothing of whom or what.
    logger.error("ladder_exhausted", alert_id=str(alert.pk))
    _record(alert, AlertActKind.EXHAUSTED, now=now)
    is_critical = alert.severity == Severity.CRITICAL
    alert.level_due_at = now + EXHAUSTED_RESTART_AFTER if is_critical else None
    alert.exhausted_at = now
    alert.save(update_fields=["level_due_at", "exhausted_at"])
    drafts = [_to_supervisor(alert, user_id, now=now) for user_id in _supervisors(patient, now=now)]
    if patient.user_id is not None:
        drafts.append(_to_patient(alert, patient.user_id, now=now))
    queue_notifications(drafts=drafts, now=now)


def _supervisors(patient: Patient, *, now: datetime) -> list[UUID]:
    """Every clinical supervisor of today, whether or not they stood on the ladder."""
    role = ClinicianRole.CLINICAL_SUPERVISOR
    found = clinicians_for(patient, on=now.date(), roles=(role,))
    return [one.user_id for one in found if role.value in one.roles]


def _to_supervisor(alert: Alert, user_id: UUID, *, now: datetime) -> NotificationDraft:
    told = _to_patient(alert, user_id, now=now)
    return replace(
        told,
        key=f"{told.key}:{user_id}",
        kind=NotificationKind.ALERT,
        text_id=f"alert.{alert.condition}",
        text_facts={
            "severity": alert.severity,
            "condition": alert.condition,
            "nobody_answered": True,
        },
    )


def _to_patient(alert: Alert, user_id: UUID, *, now: datetime) -> NotificationDraft:
    return NotificationDraft(
        key=f"alert:{alert.pk}:{alert.round}:exhausted",
        kind=NotificationKind.SUPPORT,
        subject=subject_of(alert),
        recipient_id=user_id,
        patient_id=alert.patient_id,
        priority=Priority.ACUTE,
        obeys_quiet_hours=False,
        text_id="message.nobody_reached",
        text_facts={},
        due_at=now,
        expires_at=now + RESPONSE[Severity(alert.severity)].message_life,
    )


def _record(alert: Alert, kind: AlertActKind, *, now: datetime) -> None:
    facts = {"round": alert.round, "level": alert.level}
    AlertAct.objects.create(alert=alert, at=now, kind=kind, facts=facts)
    audit.record(
        actor=ACTOR,
        action=f"alert.{kind.value}",
        patient_id=alert.patient_id,
        object_kind="alert",
        object_id=alert.pk,
        facts=facts,
    )
