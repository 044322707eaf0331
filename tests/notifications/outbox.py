"""Drafts, rows and senders for tests of the delivery."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from backend.accounts.models import Patient, User
from backend.notifications.models import DeliveryAttempt, Notification, NotificationKind, Priority
from backend.notifications.push import Outcome, PushMessage, SendResult
from backend.notifications.services import (
    DeliveryReport,
    Lane,
    NotificationDraft,
    deliver_due,
    queue_notifications,
)

NOON = datetime(2025, 3, 11, 16, 0, tzinfo=UTC)
"""Noon in New York, where the people of the tests live."""


def draft(patient: Patient, recipient: User, **values: Any) -> NotificationDraft:
    """A nudge that is due at noon and lives for four hours, unless said otherwise."""
    now = values.pop("now", NOON)
    return NotificationDraft(
        **{
            "key": f"nudge:{uuid4()}",
            "kind": NotificationKind.NUDGE,
            "subject": f"nudge:{patient.pk}",
            "recipient_id": recipient.pk,
            "patient_id": patient.pk,
            "priority": Priority.NORMAL,
            "obeys_quiet_hours": False,
            "text_id": "message.check_in_prompt",
            "text_facts": {},
            "due_at": now,
            "expires_at": now + timedelta(hours=4),
            **values,
        }
    )


ACUTE = {"kind": NotificationKind.ALERT, "priority": Priority.ACUTE}


def queue(*drafts: NotificationDraft, now: datetime = NOON) -> list[Notification]:
    """Stores them; the rows in the order of the drafts."""
    assert queue_notifications(drafts=drafts, now=now) == len(drafts)
    return [Notification.objects.get(key=one.key) for one in drafts]


def attempts(row: Notification) -> list[tuple[str, int]]:
    """The ledger of a row: outcome and number of attempt, in order."""
    rows = DeliveryAttempt.objects.filter(notification=row).order_by("pk")
    return [(one.outcome, one.attempt) for one in rows]


def accepted(_message: PushMessage) -> SendResult:
    return SendResult(Outcome.ACCEPTED, provider_id=uuid4().hex)


@dataclass
class RecordingSender:
    """Keeps every message and answers as `answer` says. Safe in threads."""

    answer: Callable[[PushMessage], SendResult] = accepted
    name: str = "recording"
    sent: list[PushMessage] = field(default_factory=list)
    before: Callable[[], object] = lambda: None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, messages: Sequence[PushMessage], *, now: datetime) -> list[SendResult]:
        with self._lock:
            self.sent += messages
        self.before()
        return [self.answer(message) for message in messages]

    @property
    def targets(self) -> list[str]:
        return [message.target for message in self.sent]

    @property
    def counts(self) -> Counter[UUID]:
        return Counter(message.notification_id for message in self.sent)


def always(outcome: Outcome, **values: Any) -> Callable[[PushMessage], SendResult]:
    return lambda _message: SendResult(outcome, **values)


def deliver(
    sender: RecordingSender, *, at: datetime = NOON, lane: Lane = Lane.ALL, limit: int = 50
) -> DeliveryReport:
    """One call with the clock standing still."""
    return deliver_due(sender=sender, now=lambda: at, lane=lane, limit=limit)
