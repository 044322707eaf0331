"""Flags: alerts without an acute check-in behind them. They open, last, pass and come back."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from backend.accounts import audit
from backend.accounts.actor import Actor
from backend.accounts.models import Patient
from backend.aftercare.decision_rules import Severity
from backend.aftercare.episodes import REOPENS_WITHIN
from backend.aftercare.ladder import snapshot_for
from backend.aftercare.models import (
    Alert,
    AlertAct,
    AlertActKind,
    AlertOutcome,
    AlertStatus,
    Condition,
    DecisionKind,
)
from backend.aftercare.policy import FLAG_INTERVAL, RESPONSE
from backend.aftercare.services.alerts import subject_of, tell_level
from backend.aftercare.services.decisions import record_decision
from backend.notifications.services import cancel_pending

FLAGS = (Condition.WORSENING, Condition.ABSENCE)


def standing_flag(patient: Patient, condition: Condition) -> Alert | None:
    """The open alert of this condition, locked."""
    alerts = Alert.objects.filter(patient=patient, condition=condition)
    return alerts.exclude(status=AlertStatus.RESOLVED).select_for_update().first()


def flagged_lately(patient: Patient, *, now: datetime) -> bool:
    """Whether the care team was told, or closed one, within `FLAG_INTERVAL`."""
    flags = Alert.objects.filter(patient=patient, condition__in=FLAGS, is_historical=False)
    since = now - FLAG_INTERVAL
    told = flags.filter(evidence_at__gt=since)
    closed = flags.filter(resolved_at__gt=since).exclude(outcome=AlertOutcome.RECOVERED)
    return told.exists() or closed.exists()


def raise_flag(
    *,
    actor: Actor,
    patient: Patient,
    condition: Condition,
    reason: dict[str, Any],
    first_on: date,
    on: date,
    now: datetime,
) -> Alert | None:
    """Opens the alert, or re-opens the one that passed by itself not long ago.

    None where the care team has heard of this patient within `FLAG_INTERVAL`: the same evidence
    is looked at again tomorrow.
    """
    if flagged_lately(patient, now=now):
        _decided(patient, condition, first_on, why_not="budget", now=now)
        return None
    alert = _passed_lately(patient, condition, on=on)
    if alert is None:
        alert = Alert(patient=patient, condition=condition, opened_at=now, first_on=first_on)
    else:
        alert.round += 1
        alert.level, alert.outcome, alert.resolved_at = 0, "", None
        alert.acknowledged_at = alert.acknowledged_by = None
    is_new = alert._state.adding
    alert.severity = Severity.MEDIUM.value
    alert.status = AlertStatus.OPEN
    alert.reasons, alert.last_on, alert.evidence_at = [reason], on, now
    alert.due_at = now + RESPONSE[Severity.MEDIUM].due_within
    for name, value in snapshot_for(patient, now=now).columns().items():
        setattr(alert, name, value)
    alert.save()
    if not is_new:
        AlertAct.objects.create(alert=alert, at=now, kind=AlertActKind.RENEWED)
    _audit(actor, alert, "alert.open" if is_new else "alert.renew")
    tell_level(alert, organisation_id=patient.organisation_id, now=now)
    chosen = "open" if is_new else "open_again"
    _decided(patient, condition, first_on, alert=alert, chosen=chosen, now=now)
    return alert


def keep_flag(alert: Alert, reason: dict[str, Any], *, on: date) -> Alert:
    """It lasts: nobody is told again."""
    alert.reasons = [reason]
    alert.last_on = max(alert.last_on, on)
    alert.save(update_fields=["reasons", "last_on"])
    return alert


def end_flag(*, actor: Actor, alert: Alert, now: datetime) -> Alert:
    """It has passed by itself: closed as such, and what waits to be sent about it is not."""
    alert.status, alert.outcome = AlertStatus.RESOLVED, AlertOutcome.RECOVERED
    alert.resolved_at, alert.level_due_at = now, None
    alert.save(update_fields=["status", "outcome", "resolved_at", "level_due_at"])
    AlertAct.objects.create(alert=alert, at=now, kind=AlertActKind.RECOVERED)
    cancel_pending(subject=subject_of(alert), now=now)
    _audit(actor, alert, "alert.recover")
    return alert


def _passed_lately(patient: Patient, condition: Condition, *, on: date) -> Alert | None:
    """By the days of the evidence, so that a phone that was offline changes nothing."""
    return (
        Alert.objects.select_for_update()
        .filter(patient=patient, condition=condition, outcome=AlertOutcome.RECOVERED)
        .filter(last_on__gte=on - REOPENS_WITHIN)
        .order_by("-last_on")
        .first()
    )


def _decided(
    patient: Patient,
    condition: Condition,
    first_on: date,
    *,
    alert: Alert | None = None,
    chosen: str = "",
    why_not: str = "",
    now: datetime,
) -> None:
    known = {"first_on": first_on.isoformat(), "interval_days": FLAG_INTERVAL.days}
    record_decision(
        patient=patient,
        kind=DecisionKind.FLAG,
        source=condition.value,
        known={**known, "alert_id": str(alert.pk)} if alert else known,
        options=("open", "open_again"),
        chosen=chosen,
        reason=condition.value if chosen else "",
        why_not=why_not,
        now=now,
    )


def _audit(actor: Actor, alert: Alert, action: str) -> None:
    audit.record(
        actor=actor,
        action=action,
        patient_id=alert.patient_id,
        object_kind="alert",
        object_id=alert.pk,
        facts={"severity": alert.severity, "round": alert.round},
    )
