"""Leaving monitoring, and coming back: an act of its own, and not the end of care.

Check-ins are stored and answered with help as before, and an acute one still raises its alert:
that is care. What ends is the watching: trends, flags about them or about silence, nudges, prompts.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from backend.accounts import audit
from backend.accounts.access import access_own_patient
from backend.accounts.actor import Actor
from backend.accounts.models import Patient
from backend.aftercare.decision_rules import Severity
from backend.aftercare.ladder import snapshot_for
from backend.aftercare.models import Alert, Condition
from backend.aftercare.policy import RESPONSE
from backend.aftercare.services.alerts import act_audited, tell_level
from backend.aftercare.services.flags import end_flag, standing_flag
from backend.notifications.services import WATCHING, cancel_pending_to


@transaction.atomic
def leave_monitoring(*, actor: Actor, now: datetime) -> Patient:
    """Nobody watches from now on; open alerts stand. Again, it changes nothing.

    The care team is told by an alert that is not acute. Raises `Forbidden` for everyone else.
    """
    patient = access_own_patient(actor, lock=True)
    if patient.left_monitoring_at is not None:
        return patient
    patient.left_monitoring_at = now
    patient.save(update_fields=["left_monitoring_at"])
    if patient.user_id is not None:
        cancel_pending_to(patient.user_id, kinds=WATCHING, now=now)
    if patient.is_active and standing_flag(patient, Condition.LEFT_MONITORING) is None:
        _tell_care_team(actor, patient, now=now)
    _audit(actor, patient, "monitoring.leave")
    return patient


@transaction.atomic
def resume_monitoring(*, actor: Actor, now: datetime) -> Patient:
    """They are watched again; the alert that said otherwise ends. Again, it changes nothing."""
    patient = access_own_patient(actor, lock=True)
    if patient.left_monitoring_at is None:
        return patient
    patient.left_monitoring_at = None
    patient.save(update_fields=["left_monitoring_at"])
    standing = standing_flag(patient, Condition.LEFT_MONITORING)
    if standing is not None:
        end_flag(actor=actor, alert=standing, now=now)
    _audit(actor, patient, "monitoring.resume")
    return patient


def set_monitoring_again(*, actor: Actor, patient_id: UUID, left_at: datetime | None) -> bool:
    """What a restored database has forgotten, in the caller's transaction; whether it changed.

    Makes no new task of it: who leads the restore tells the care team.
    """
    rows = Patient.objects.filter(pk=patient_id, left_monitoring_at__isnull=left_at is not None)
    if not rows.update(left_monitoring_at=left_at):
        return False
    audit.record(
        actor=actor,
        action="monitoring.leave" if left_at else "monitoring.resume",
        patient_id=patient_id,
        object_kind="patient",
        object_id=patient_id,
    )
    return True


def _tell_care_team(actor: Actor, patient: Patient, *, now: datetime) -> None:
    today = now.astimezone(ZoneInfo(patient.time_zone)).date()
    severity = Severity.MEDIUM
    reason: dict[str, Any] = {
        "rule": "left_monitoring",
        "severity": severity.value,
        "on": today.isoformat(),
        "facts": {},
    }
    alert = Alert.objects.create(
        patient=patient,
        condition=Condition.LEFT_MONITORING,
        severity=severity.value,
        reasons=[reason],
        opened_at=now,
        evidence_at=now,
        due_at=now + RESPONSE[severity].due_within,
        **snapshot_for(patient, now=now).columns(),
        first_on=today,
        last_on=today,
    )
    act_audited(actor, alert, "alert.open").save(force_insert=True)
    tell_level(alert, organisation_id=patient.organisation_id, now=now)


def _audit(actor: Actor, patient: Patient, action: str) -> None:
    audit.record(
        actor=actor,
        action=action,
        patient_id=patient.pk,
        object_kind="patient",
        object_id=patient.pk,
    )
