"""One persisting decline is one open alert: it is updated while it lasts, never opened twice."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from backend.accounts import audit
from backend.accounts.actor import Actor
from backend.accounts.models import Patient
from backend.aftercare.decision_rules import Severity
from backend.aftercare.ladder import ladder_for
from backend.aftercare.models import Alert, AlertStatus, Condition
from backend.aftercare.policy import FLAG_INTERVAL, RESPONSE
from backend.aftercare.services.alerts import tell_level


def follow_worsening(
    *, actor: Actor, patient: Patient, reason: dict[str, Any], on: date, now: datetime
) -> Alert | None:
    """Opens the patient's `worsening` alert, or keeps the open one up to date.

    After one was resolved, no new one opens for `FLAG_INTERVAL`; None then. Runs in the caller's
    transaction, under the patient's lock.
    """
    alerts = Alert.objects.filter(patient=patient, condition=Condition.WORSENING)
    standing = alerts.exclude(status=AlertStatus.RESOLVED).select_for_update().first()
    if standing is not None:
        return _update(standing, reason, on=on)
    if alerts.filter(is_historical=False, resolved_at__gt=now - FLAG_INTERVAL).exists():
        return None
    alert = Alert.objects.create(
        patient=patient,
        condition=Condition.WORSENING,
        severity=Severity.MEDIUM.value,
        reasons=[reason],
        opened_at=now,
        evidence_at=now,
        due_at=now + RESPONSE[Severity.MEDIUM].due_within,
        ladder=ladder_for(patient, on=now.date()),
        first_on=_began(reason, on),
        last_on=on,
    )
    audit.record(
        actor=actor,
        action="alert.open",
        patient_id=patient.pk,
        object_kind="alert",
        object_id=alert.pk,
        facts={"severity": alert.severity, "round": alert.round},
    )
    tell_level(alert, now=now)
    return alert


def _update(alert: Alert, reason: dict[str, Any], *, on: date) -> Alert:
    alert.reasons = [reason]
    alert.last_on = max(alert.last_on, on)
    alert.save(update_fields=["reasons", "last_on"])
    return alert


def _began(reason: dict[str, Any], on: date) -> date:
    began: str | None = reason["facts"]["began_on"]
    return date.fromisoformat(began) if began else on
