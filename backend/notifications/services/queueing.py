"""Writing down what is to be sent, and taking it back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
from django.db.models import Case, F, Q, QuerySet, Value, When

from backend.notifications.models import Notification, NotificationOutcome
from backend.notifications.services.leases import NO_REPEAT
from backend.queue import Job, enqueue_on_commit
from backend.rows import every


@dataclass(frozen=True, slots=True)
class NotificationDraft:
    """A decision to tell one account one thing. `key` makes the same decision one message.

    `text_id` and `text_facts` are read after unlock; nothing of them reaches a lock screen.
    Without `ways` it leaves by all that work.
    """

    key: str
    kind: str
    subject: str
    recipient_id: UUID
    patient_id: UUID
    priority: int
    obeys_quiet_hours: bool
    text_id: str
    text_facts: Mapping[str, Any]
    due_at: datetime
    expires_at: datetime
    ways: list[str] | None = None


_COLUMNS = {
    "id": "uuid", "key": "text", "kind": "text", "subject": "text", "recipient_id": "uuid",
    "patient_id": "uuid", "priority": "smallint", "obeys_quiet_hours": "boolean",
    "text_id": "text", "text_facts": "jsonb", "expires_at": "timestamptz", "ways": "varchar[]",
}  # fmt: skip
# One statement, whatever the number of rows, so that it is planned once. Senders go by the
# database's clock: one that is behind the caller's shall delay nothing.
_QUEUE = f"""
INSERT INTO notifications_notification ({", ".join(_COLUMNS)},
    due_at, created_at, attempts, unreturned_claims, outcome)
SELECT {", ".join(f"row.{name}" for name in _COLUMNS)},
    CASE WHEN row.due_at <= %(now)s THEN LEAST(row.due_at, clock_timestamp()) ELSE row.due_at END,
    %(now)s, 0, 0, ''
FROM jsonb_to_recordset(%(rows)s::jsonb)
    AS row({", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())}, due_at timestamptz)
ON CONFLICT (key) DO NOTHING RETURNING due_at
"""  # noqa: S608 - the names are constants of this module


def queue_notifications(*, drafts: Sequence[NotificationDraft], now: datetime) -> int:
    """Stores them in the caller's transaction; returns how many are new.

    A draft whose key is known already changes nothing. Delivery is woken on commit.
    """
    if not drafts:
        return 0
    # In one order, so that two transactions with the same keys cannot wait for each other.
    ordered = sorted(drafts, key=lambda draft: draft.key)
    rows = msgspec.json.encode([_values(draft) for draft in ordered]).decode()
    due = [due_at for (due_at,) in every(_QUEUE, {"rows": rows, "now": now})]
    if any(due_at <= now for due_at in due):
        enqueue_on_commit(Job.DELIVER_DUE)
    return len(due)


def _values(draft: NotificationDraft) -> dict[str, Any]:
    values = {name: getattr(draft, name) for name in _COLUMNS if name != "id"}
    return {"id": uuid4(), **values, "due_at": draft.due_at}


def cancel_pending(
    *, subject: str, now: datetime, recipient_ids: Collection[UUID] | None = None
) -> int:
    """Takes back what is still queued about a subject; returns how many messages.

    One that somebody is sending at this moment is marked; the sender looks at the mark once more
    before it sends. What was sent already is not sent a second time.
    """
    about = Notification.objects.filter(subject=subject)
    if recipient_ids is not None:
        about = about.filter(recipient_id__in=recipient_ids)
    return _cancel(about, now=now)


def cancel_pending_to(recipient_id: UUID, *, kinds: Collection[str], now: datetime) -> int:
    """Takes back what is still queued of these kinds for one account, as `cancel_pending` does."""
    told = Notification.objects.filter(recipient_id=recipient_id, kind__in=kinds)
    return _cancel(told, now=now)


def _cancel(about: QuerySet[Notification], *, now: datetime) -> int:
    about.filter(repeat_due_at__isnull=False).update(**NO_REPEAT)
    rows = about.filter(settled_at__isnull=True, cancelled_at__isnull=True)
    is_leased = Q(lease_expires_at__gt=now)
    return rows.update(
        cancelled_at=now,
        settled_at=Case(When(is_leased, then=None), default=Value(now)),
        outcome=Case(
            When(is_leased, then=Value("")), default=Value(NotificationOutcome.CANCELLED.value)
        ),
        lease_token=Case(When(is_leased, then=F("lease_token")), default=None),
        lease_expires_at=Case(When(is_leased, then=F("lease_expires_at")), default=None),
    )
