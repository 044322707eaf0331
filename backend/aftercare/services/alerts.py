"""What alerts are made of: evidence, its condition, the ladder that is told, imported history."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from backend.accounts import audit
from backend.accounts.actor import Actor
from backend.accounts.models import AuditEvent, Patient
from backend.aftercare.decision_rules import Match, Severity
from backend.aftercare.ladder import (
    Live,
    has_rota,
    live_on,
    reachable_level,
    silence_of,
    standing,
    ways_of,
    with_who_is_on_shift,
)
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
from backend.rows import Upsert, store
from backend.tracking.models import CheckIn

_RETIED = ("alert_id", "at", "round", "severity", "rules")
_TIES_BY_CHECK_IN = Upsert(AlertEvidence, "check_in_id", _RETIED)
_TIES_BY_REPORT = Upsert(AlertEvidence, "acute_report_id", _RETIED)
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


def note_revision(alert: Alert, *, revision: int, actor: Actor, now: datetime) -> None:
    """Shows on the alert that its check-in was amended or withdrawn. Changes nothing else."""
    AlertAct.objects.create(
        alert=alert,
        at=now,
        kind=AlertActKind.REVISED,
        by_id=actor.user_id,
        facts={"revision": revision},
    )


def tell_level(
    alert: Alert, *, organisation_id: UUID, evidence_is_late: bool = False, now: datetime
) -> None:
    """Queues one message for everyone up to the first level that can be reached.

    Levels that nobody can be reached on are passed over at once; their messages wait in case a
    phone is registered. Sets when the next level is due.
    """
    if has_rota(alert.rungs):
        on_shift = standing(organisation_id, now=now).on_shift
        name_who_is_on_shift(alert, on_shift)
    live = live_on(alert.ladder[alert.level :])
    drafts = plan_level(alert, live=live, evidence_is_late=evidence_is_late, now=now)
    alert.save(update_fields=["level", "level_due_at", "ladder"])
    queue_notifications(drafts=drafts, now=now)


def name_who_is_on_shift(alert: Alert, on_shift: Collection[str]) -> None:
    """Puts them on the levels by a rota that are still to be told, in memory alone."""
    alert.ladder = with_who_is_on_shift(alert.ladder, alert.rungs, on_shift, start=alert.level)


def plan_level(
    alert: Alert, *, live: Live, evidence_is_late: bool, now: datetime
) -> list[NotificationDraft]:
    """What `tell_level` queues; moves the alert in memory alone. `live` can be reached now."""
    severity = Severity(alert.severity)
    obeys_quiet_hours = RESPONSE[severity].obeys_quiet_hours or evidence_is_late
    first = alert.level
    reached = reachable_level(alert.ladder, alert.rungs, start=first, live=live)
    if reached is not None:
        alert.level = reached
    elif alert.ladder:
        alert.level = len(alert.ladder) - 1
    wait = silence_of(alert.rungs, level=alert.level, severity=severity)
    alert.level_due_at = now + wait if wait is not None else None
    return [
        _draft(alert, level, user_id, obeys_quiet_hours=obeys_quiet_hours, now=now)
        for level in range(first, min(alert.level + 1, len(alert.ladder)))
        for user_id in alert.ladder[level]
    ]


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
        ways=list(ways_of(alert.rungs, level)) or None,
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
    ties = [evidence_row(alert, evidence, now=at)]
    store((ties_by(ties), ties))
    act_audited(
        actor, alert, "alert.join" if condition in near else "alert.record_historical"
    ).save(force_insert=True)
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


def evidence_row(alert: Alert, evidence: Evidence, *, now: datetime) -> AlertEvidence:
    """What ties this evidence to the alert, not stored yet."""
    source = evidence.source
    return AlertEvidence(
        alert=alert,
        check_in=source if isinstance(source, CheckIn) else None,
        acute_report=source if isinstance(source, AcuteReport) else None,
        at=now,
        round=alert.round,
        severity=evidence.severity.value,
        rules=[match.rule.value for match in evidence.matches],
    )


def ties_by(rows: Sequence[AlertEvidence]) -> Upsert:
    """How these are stored: what was tied to another alert before is tied to this one instead.

    All of them are check-ins, or all of them are acute reports.
    """
    is_report = any(row.acute_report_id is not None for row in rows)
    return _TIES_BY_REPORT if is_report else _TIES_BY_CHECK_IN


def act_audited(actor: Actor, alert: Alert, action: str) -> AuditEvent:
    """The row of the audit log for what happens to an alert, not stored yet."""
    return audit.build(
        actor=actor,
        action=action,
        patient_id=alert.patient_id,
        object_kind="alert",
        object_id=alert.pk,
        facts={"severity": alert.severity, "round": alert.round},
    )
