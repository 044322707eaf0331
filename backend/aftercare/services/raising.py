"""Opening alerts and joining new evidence to them: any number for one patient, written at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from backend.accounts.actor import Actor
from backend.accounts.models import AuditEvent, Patient
from backend.aftercare.decision_rules import Severity
from backend.aftercare.ladder import (
    Ladder,
    Live,
    Snapshot,
    has_rota,
    live_on,
    snapshot_for,
    standing,
)
from backend.aftercare.models import Alert, AlertAct, AlertActKind, AlertEvidence, AlertStatus
from backend.aftercare.policy import RESPONSE
from backend.aftercare.selectors import hold_open_alerts
from backend.aftercare.services.alerts import (
    Evidence,
    act_audited,
    choose_condition,
    evidence_row,
    name_who_is_on_shift,
    plan_level,
    ties_by,
)
from backend.notifications.services import NotificationDraft, queue_notifications
from backend.rows import Upsert, store

_ALERTS = Upsert(
    Alert,
    "id",
    ("severity", "reasons", "first_on", "last_on", "round", "level", "level_due_at", "evidence_at",
     "due_at", "status", "acknowledged_at", "acknowledged_by_id", "ladder", "exhausted_at"),
)  # fmt: skip
_ACTS, _AUDITED = Upsert(AlertAct), Upsert(AuditEvent)


@dataclass
class Raising:
    """The alerts of one patient while evidence comes in, in its order.

    Decides in memory and writes with `write`. All of it belongs into one transaction, under the
    patient's lock: nobody else may decide about these alerts in between.
    """

    actor: Actor
    patient: Patient
    now: datetime
    _opened: list[Alert] = field(default_factory=list)
    _changed: dict[str, Alert] = field(default_factory=dict)
    _acts: list[AlertAct] = field(default_factory=list)
    _evidence: list[AlertEvidence] = field(default_factory=list)
    _audited: list[AuditEvent] = field(default_factory=list)
    _drafts: list[NotificationDraft] = field(default_factory=list)

    def add(self, evidence: Evidence, *, renews: bool) -> Alert:
        """Opens the alert that this evidence calls for, or joins the open one of its condition.

        `renews` is false when the evidence only repeats what the alert already holds (the
        corrected retry of a refused body): then nobody is told again.
        """
        condition = choose_condition(evidence.matches, self._standing)
        alert = self._standing.get(condition)
        if alert is None:
            alert = self._standing[condition] = self._open(condition, evidence)
        else:
            self._join(alert, evidence, renews=renews)
        self._evidence.append(evidence_row(alert, evidence, now=self.now))
        if renews:
            is_late = evidence.is_late and not evidence.always_pages
            if alert not in self._opened and has_rota(alert.rungs):
                name_who_is_on_shift(alert, self._on_shift)
            live = self._live(alert.ladder)
            self._drafts += plan_level(alert, live=live, evidence_is_late=is_late, now=self.now)
        return alert

    def tell(self, drafts: Sequence[NotificationDraft]) -> None:
        """Queues these as well, with the rest."""
        self._drafts += drafts

    def write(self) -> None:
        """Stores everything in three statements: the alerts, what is told of them (row-level
        security lets it in when it sees the alert), and what is to be sent."""
        store((_ALERTS, [*self._opened, *self._changed.values()]))
        store(
            (_ACTS, self._acts),
            (ties_by(self._evidence), self._evidence),
            (_AUDITED, self._audited),
        )
        queue_notifications(drafts=self._drafts, now=self.now)

    @cached_property
    def _standing(self) -> dict[str, Alert]:
        return {alert.condition: alert for alert in hold_open_alerts(self.patient.pk)}

    @cached_property
    def _own_ladder(self) -> Snapshot:
        return snapshot_for(self.patient, now=self.now)

    @cached_property
    def _on_shift(self) -> frozenset[str]:
        return standing(self.patient.organisation_id, now=self.now).on_shift

    @cached_property
    def _known_live(self) -> dict[str, Live]:
        return {}

    def _live(self, ladder: Ladder) -> Live:
        key = repr(ladder)
        if key not in self._known_live:
            self._known_live[key] = live_on(ladder)
        return self._known_live[key]

    def _open(self, condition: str, evidence: Evidence) -> Alert:
        alert = Alert(
            patient=self.patient,
            condition=condition,
            severity=evidence.severity.value,
            reasons=evidence.reasons,
            opened_at=self.now,
            evidence_at=self.now,
            due_at=self.now + RESPONSE[evidence.severity].due_within,
            **self._own_ladder.columns(),
            first_on=evidence.on,
            last_on=evidence.on,
        )
        self._opened.append(alert)
        self._audited.append(act_audited(self.actor, alert, "alert.open"))
        return alert

    def _join(self, alert: Alert, evidence: Evidence, *, renews: bool) -> None:
        severity = max(Severity(alert.severity), evidence.severity, key=lambda s: s.rank)
        alert.severity = severity.value
        alert.reasons = [*alert.reasons, *evidence.reasons]
        alert.first_on = min(alert.first_on, evidence.on)
        alert.last_on = max(alert.last_on, evidence.on)
        if renews:
            # An acknowledgment covers only what came before it.
            alert.round += 1
            alert.level = 0
            alert.evidence_at = self.now
            alert.due_at = self.now + RESPONSE[severity].due_within
            alert.status = AlertStatus.OPEN
            alert.acknowledged_at = alert.acknowledged_by = alert.exhausted_at = None
            self._acts.append(AlertAct(alert=alert, at=self.now, kind=AlertActKind.RENEWED))
        if alert not in self._opened:
            self._changed[alert.condition] = alert
        action = "alert.renew" if renews else "alert.join"
        self._audited.append(act_audited(self.actor, alert, action))
