"""Writing down what is to be sent, and taking it back."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import connection
from django.db.models import Case, F, Q, QuerySet, Value, When

from backend.notifications.models import Notification, NotificationOutcome
from backend.notifications.services.leases import NO_REPEAT
from backend.queue import Job, enqueue_on_commit


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


_COLUMNS = (
    "id, key, kind, subject, recipient_id, patient_id, priority, obeys_quiet_hours, text_id,"
    " text_facts, due_at, expires_at, created_at, ways, attempts, unreturned_claims, outcome"
)
_ROW = "(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s::jsonb, {due_at}, %s, %s, %s::varchar[], 0, 0, '')"
_LATER = _ROW.format(due_at="%s")
# Senders go by the database's clock. One that is behind the caller's shall delay nothing.
_AT_ONCE = _ROW.format(due_at="LEAST(%s, clock_timestamp())")


def queue_notifications(*, drafts: Sequence[NotificationDraft], now: datetime) -> int:
    """Stores them in the caller's transaction; returns how many are new.

    A draft whose key is known already changes nothing. Delivery is woken on commit.
    """
    if not drafts:
        return 0
    # In one order, so that two transactions with the same keys cannot wait for each other.
    ordered = sorted(drafts, key=lambda draft: draft.key)
    rows = [_AT_ONCE if draft.due_at <= now else _LATER for draft in ordered]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO notifications_notification ({_COLUMNS})"  # noqa: S608 - constants alone
            f" VALUES {', '.join(rows)}"
            " ON CONFLICT (key) DO NOTHING RETURNING due_at",
            [value for draft in ordered for value in _values(draft, now)],
        )
        due = [due_at for (due_at,) in cursor.fetchall()]
    if any(due_at <= now for due_at in due):
        enqueue_on_commit(Job.DELIVER_DUE)
    return len(due)


def _values(
    draft: NotificationDraft, now: datetime
) -> list[UUID | str | int | bool | datetime | list[str] | None]:
    return [
        uuid4(),
        draft.key,
        str(draft.kind),
        draft.subject,
        draft.recipient_id,
        draft.patient_id,
        int(draft.priority),
        draft.obeys_quiet_hours,
        draft.text_id,
        json.dumps(dict(draft.text_facts)),
        draft.due_at,
        draft.expires_at,
        now,
        draft.ways,
    ]


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
