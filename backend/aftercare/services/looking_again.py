"""Telling a clinician that the day has come on which an alert is looked at again, once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from backend.accounts import audit
from backend.accounts.access import hold_patient
from backend.accounts.actor import Actor
from backend.accounts.models import ClinicianRole, Patient
from backend.accounts.selectors import Reachable, clinicians_for
from backend.aftercare.ladder import LATER_LEVELS, care_team, standing
from backend.aftercare.looking_again import is_back, today_of
from backend.aftercare.models import Alert, AlertAct, AlertActKind, AlertStatus
from backend.aftercare.services.alerts import subject_of
from backend.notifications.models import NotificationKind, Priority
from backend.notifications.services import NotificationDraft, queue_notifications

BATCH = 100
MESSAGE_LIFE = timedelta(hours=24)
ACTOR = Actor.system("look_again_due")


def look_again_due(*, now: datetime) -> int:
    """Tells about every alert whose day has come; returns how many were taken up.

    Whoever left the care team is told nothing: others of the team are then, and without a team
    whoever is on call. Any number of copies tell each alert once for each day.
    """
    return sum(_tell(alert_id, patient_id, now=now) for alert_id, patient_id in _due(now))


def _due(now: datetime) -> Sequence[tuple[UUID, UUID]]:
    # A day begins up to fourteen hours before UTC's: each is asked of its own zone below.
    latest = (now + timedelta(hours=14)).date()
    rows = Alert.objects.filter(look_again_on__lte=latest, look_again_told_at__isnull=True)
    rows = rows.exclude(status=AlertStatus.RESOLVED).filter(patient__discharged_at__isnull=True)
    return list(rows.order_by("look_again_on", "pk").values_list("pk", "patient_id")[:BATCH])


@transaction.atomic
def _tell(alert_id: UUID, patient_id: UUID, *, now: datetime) -> int:
    hold_patient(patient_id)
    rows = Alert.objects.select_related("patient__organisation").filter(pk=alert_id)
    alert = rows.filter(look_again_told_at__isnull=True).first()
    if alert is None or not alert.patient.is_active:
        return 0
    if not is_back(alert, today=today_of(alert, now=now)):
        return 0
    alert.look_again_told_at = now
    alert.save(update_fields=["look_again_told_at"])
    told = queue_notifications(
        drafts=[_draft(alert, user_id, now=now) for user_id in _whom(alert, now=now)], now=now
    )
    audit.record(
        actor=ACTOR,
        action="alert.look_again",
        patient_id=patient_id,
        object_kind="alert",
        object_id=alert.pk,
        facts={"count": told},
    )
    return 1


def _whom(alert: Alert, *, now: datetime) -> list[UUID]:
    """Whoever chose the day, as long as they may see the patient; else the care team; else whoever
    is on call, and in a gap the clinical supervisors."""
    patient: Patient = alert.patient
    found = clinicians_for(patient, on=now.date(), roles=LATER_LEVELS)
    acts = AlertAct.objects.filter(alert=alert, kind=AlertActKind.ACTED).order_by("-at", "-pk")
    chose = acts.values_list("by_id", flat=True).first()
    mine = [one for one in found if one.user_id == chose]
    people = mine or care_team(found) or _covering(patient, found, now=now)
    return [one.user_id for one in people]


def _covering(patient: Patient, found: Sequence[Reachable], *, now: datetime) -> list[Reachable]:
    stands = standing(patient.organisation_id, now=now)
    on_call = [
        one
        for one in found
        if (
            str(one.user_id) in stands.on_shift
            if stands.has_rota
            else ClinicianRole.ON_CALL.value in one.roles
        )
    ]
    role = ClinicianRole.CLINICAL_SUPERVISOR.value
    return on_call or [one for one in found if role in one.roles]


def _draft(alert: Alert, user_id: UUID, *, now: datetime) -> NotificationDraft:
    return NotificationDraft(
        key=f"look_again:{alert.pk}:{alert.look_again_on}:{user_id}",
        kind=NotificationKind.ALERT,
        subject=subject_of(alert),
        recipient_id=user_id,
        patient_id=alert.patient_id,
        priority=Priority.NORMAL,
        obeys_quiet_hours=True,
        text_id=f"alert.{alert.condition}",
        text_facts={
            "severity": alert.severity,
            "condition": alert.condition,
            "look_again": True,
        },
        due_at=now,
        expires_at=now + MESSAGE_LIFE,
    )
