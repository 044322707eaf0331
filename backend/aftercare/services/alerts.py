"""Opening alerts, joining new evidence to them, and telling the ladder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from backend.accounts import audit
from backend.accounts.actor import Actor
from backend.accounts.models import Patient
from backend.aftercare.decision_rules import Match, Severity
from backend.aftercare.ladder import ladder_for, reachable_level
from backend.aftercare.models import (
    AcuteReport,
    Alert,
    AlertAct,
    AlertActKind,
    AlertEvidence,
    AlertOutcome,
    AlertStatus,
)
from backend.aftercare.policy import FLAG_INTERVAL, RESPONSE
from backend.notifications.models import NotificationKind, Priority
from backend.notifications.services import NotificationDraft, queue_notifications
from backend.tracking.models import CheckIn

CONDITION_RANK = ("safety", "withdrawal", "mood", "use", "craving", "confidence", "sleep")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for an alert: the check-in, or the acute part of a refused one."""

    source: CheckIn | AcuteReport
    on: date
    matches: Sequence[Match]
    is_late: bool
    always_pages: bool

    @property
    def severity(self) -> Severity:
        return max((match.severity for match in self.matches), key=lambda s: s.rank)

    @property
    def reasons(self) -> list[dict[str, Any]]:
        return [{**match.as_json(), "on": self.on.isoformat()} for match in self.matches]


def subject_of(alert: Alert) -> str:
    """The key by which an alert's queued messages are found again."""
    return f"alert:{alert.pk}"


def choose_condition(matches: Sequence[Match], open_conditions: Iterable[str]) -> str:
    """The one condition that a check-in with several matches counts towards.

    The most severe match decides; among equals one that has an open alert already, then rank.
    """
    standing = set(open_conditions)
    top = max(match.severity.rank for match in matches)
    candidates = {match.condition for match in matches if match.severity.rank == top}
    return min(candidates, key=lambda c: (c not in standing, CONDITION_RANK.index(c)))


def raise_alert(
    *, actor: Actor, patient: Patient, evidence: Evidence, renews: bool, now: datetime
) -> Alert:
    """Opens the alert that this evidence calls for, or joins the open one of its condition.

    `renews` is false when the evidence only repeats what the alert already holds (the corrected
    retry of a refused body): then nobody is told again. Runs in the caller's transaction, under
    the patient's lock.
    """
    standing = {
        alert.condition: alert
        for alert in Alert.objects.select_for_update()
        .filter(patient=patient)
        .exclude(status=AlertStatus.RESOLVED)
    }
    condition = choose_condition(evidence.matches, standing)
    alert = standing.get(condition)
    if alert is None:
        alert = _open(actor=actor, patient=patient, condition=condition, evidence=evidence, now=now)
    else:
        _join(actor=actor, alert=alert, evidence=evidence, renews=renews, now=now)
    _tie(alert, evidence, now=now)
    if renews:
        tell_level(alert, evidence_is_late=evidence.is_late and not evidence.always_pages, now=now)
    return alert


def _open(
    *, actor: Actor, patient: Patient, condition: str, evidence: Evidence, now: datetime
) -> Alert:
    policy = RESPONSE[evidence.severity]
    alert = Alert.objects.create(
        patient=patient,
        condition=condition,
        severity=evidence.severity.value,
        reasons=evidence.reasons,
        opened_at=now,
        evidence_at=now,
        due_at=now + policy.due_within,
        ladder=ladder_for(patient, on=now.date()),
        first_on=evidence.on,
        last_on=evidence.on,
    )
    _audit(actor, alert, "alert.open")
    return alert


def _join(*, actor: Actor, alert: Alert, evidence: Evidence, renews: bool, now: datetime) -> None:
    severity = max(Severity(alert.severity), evidence.severity, key=lambda s: s.rank)
    alert.severity = severity.value
    alert.reasons = [*alert.reasons, *evidence.reasons]
    alert.first_on = min(alert.first_on, evidence.on)
    alert.last_on = max(alert.last_on, evidence.on)
    if renews:
        # An acknowledgment covers only what came before it.
        alert.round += 1
        alert.level = 0
        alert.evidence_at = now
        alert.due_at = now + RESPONSE[severity].due_within
        alert.status = AlertStatus.OPEN
        alert.acknowledged_at = alert.acknowledged_by = None
        AlertAct.objects.create(alert=alert, at=now, kind=AlertActKind.RENEWED)
    alert.save()
    _audit(actor, alert, "alert.renew" if renews else "alert.join")


def _tie(alert: Alert, evidence: Evidence, *, now: datetime) -> None:
    source = evidence.source
    AlertEvidence.objects.update_or_create(
        check_in=source if isinstance(source, CheckIn) else None,
        acute_report=source if isinstance(source, AcuteReport) else None,
        defaults={
            "alert": alert,
            "at": now,
            "round": alert.round,
            "severity": evidence.severity.value,
            "rules": [match.rule.value for match in evidence.matches],
        },
    )


def note_revision(alert: Alert, *, revision: int, actor: Actor, now: datetime) -> None:
    """Shows on the alert that its check-in was amended or withdrawn. Changes nothing else."""
    AlertAct.objects.create(
        alert=alert,
        at=now,
        kind=AlertActKind.REVISED,
        by_id=actor.user_id,
        facts={"revision": revision},
    )


def tell_level(alert: Alert, *, evidence_is_late: bool = False, now: datetime) -> None:
    """Queues one message for everyone up to the first level that a phone can reach.

    Levels that nobody can be reached on are passed over at once; their messages wait in case a
    phone is registered. Sets when the next level is due.
    """
    policy = RESPONSE[Severity(alert.severity)]
    obeys_quiet_hours = policy.obeys_quiet_hours or evidence_is_late
    first = alert.level
    reached = reachable_level(alert.ladder, start=first)
    if reached is not None:
        alert.level = reached
    elif alert.ladder:
        alert.level = len(alert.ladder) - 1
    wait = policy.next_level_after
    alert.level_due_at = now + wait if wait is not None else None
    alert.save(update_fields=["level", "level_due_at"])
    drafts = [
        _draft(alert, level, user_id, obeys_quiet_hours=obeys_quiet_hours, now=now)
        for level in range(first, min(alert.level + 1, len(alert.ladder)))
        for user_id in alert.ladder[level]
    ]
    queue_notifications(drafts=drafts, now=now)


def _draft(
    alert: Alert, level: int, user_id: str, *, obeys_quiet_hours: bool, now: datetime
) -> NotificationDraft:
    severity = Severity(alert.severity)
    return NotificationDraft(
        key=f"alert:{alert.pk}:{alert.round}:{level}:{user_id}",
        kind=NotificationKind.ALERT,
        subject=subject_of(alert),
        recipient_id=UUID(user_id),
        patient_id=alert.patient_id,
        priority=Priority.NORMAL if severity is Severity.MEDIUM else Priority.ACUTE,
        obeys_quiet_hours=obeys_quiet_hours,
        text_id=f"alert.{alert.condition}",
        text_facts={"severity": alert.severity, "condition": alert.condition},
        due_at=now,
        expires_at=now + RESPONSE[severity].message_life,
    )


def record_historical_alert(
    *, actor: Actor, patient: Patient, evidence: Evidence, at: datetime, now: datetime
) -> Alert:
    """An alert of imported history: as of its day, closed, told to nobody.

    Evidence within `FLAG_INTERVAL` of what a historical alert of its condition already holds
    joins that one, on either side: days may be imported in any order.
    """
    near = {
        alert.condition: alert
        for alert in Alert.objects.select_for_update()
        .filter(
            patient=patient,
            is_historical=True,
            first_on__lte=evidence.on + FLAG_INTERVAL,
            last_on__gte=evidence.on - FLAG_INTERVAL,
        )
        .order_by("first_on")
    }
    condition = choose_condition(evidence.matches, near)
    alert = near.get(condition)
    if alert is not None:
        _join_historical(alert, evidence, at=at)
    else:
        alert = Alert.objects.create(
            patient=patient,
            condition=condition,
            severity=evidence.severity.value,
            status=AlertStatus.RESOLVED,
            is_historical=True,
            reasons=evidence.reasons,
            opened_at=at,
            evidence_at=at,
            first_on=evidence.on,
            last_on=evidence.on,
            resolved_at=now,
            outcome=AlertOutcome.HISTORICAL,
        )
    _tie(alert, evidence, now=at)
    _audit(actor, alert, "alert.join" if condition in near else "alert.record_historical")
    return alert


def _join_historical(alert: Alert, evidence: Evidence, *, at: datetime) -> None:
    severity = max(Severity(alert.severity), evidence.severity, key=lambda s: s.rank)
    alert.severity = severity.value
    alert.reasons = sorted([*alert.reasons, *evidence.reasons], key=lambda reason: reason["on"])
    alert.first_on = min(alert.first_on, evidence.on)
    alert.last_on = max(alert.last_on, evidence.on)
    alert.opened_at = min(alert.opened_at, at)
    alert.evidence_at = max(alert.evidence_at, at)
    alert.save()


def _audit(actor: Actor, alert: Alert, action: str) -> None:
    audit.record(
        actor=actor,
        action=action,
        patient_id=alert.patient_id,
        object_kind="alert",
        object_id=alert.pk,
        facts={"severity": alert.severity, "round": alert.round},
    )
