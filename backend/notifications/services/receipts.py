"""What an app says became of a message on its phone. Any of it ends the wish to send it again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.db import transaction

from backend.accounts import audit
from backend.accounts.actor import Actor
from backend.accounts.models import AuditEvent
from backend.notifications.models import Notification
from backend.notifications.services.leases import NO_REPEAT


class ReceiptEvent(StrEnum):
    """What happened to the message."""

    RECEIVED = "received"
    OPENED = "opened"
    ACTED_ON = "acted_on"


COLUMNS: Mapping[ReceiptEvent, str] = {event: f"{event.value}_at" for event in ReceiptEvent}


@dataclass(frozen=True, slots=True)
class Receipt:
    """`at` is aware and by the app's clock."""

    notification_id: UUID
    event: ReceiptEvent
    at: datetime


@dataclass(frozen=True, slots=True)
class Received:
    """How many receipts said something new, something known, or were of no message of one's own."""

    recorded: int
    known: int
    unknown: int


@transaction.atomic
def record_receipts(*, actor: Actor, receipts: Sequence[Receipt], now: datetime) -> Received:
    """Keeps the first time of each event; in any order and any number of times it ends the same.

    A time before the message was made or after `now` is moved to that bound. Ids of nobody and
    of others count alike as unknown.
    """
    said: defaultdict[UUID, list[Receipt]] = defaultdict(list)
    for receipt in receipts:
        said[receipt.notification_id].append(receipt)
    rows = list(
        Notification.objects.select_for_update(of=("self",))
        .filter(pk__in=said, recipient_id=actor.user_id)
        .order_by("pk")
    )
    news = {row.pk: _take_up(row, said[row.pk], now=now) for row in rows}
    Notification.objects.bulk_update(rows, list(COLUMNS.values()))
    Notification.objects.filter(pk__in=news, repeat_due_at__isnull=False).update(**NO_REPEAT)
    AuditEvent.objects.bulk_create(
        audit.build(
            actor=actor,
            action="notification.receipt",
            patient_id=row.patient_id,
            object_kind="notification",
            object_id=row.pk,
            facts={"events": sorted(news[row.pk])},
        )
        for row in rows
        if news[row.pk]
    )
    recorded = sum(len(events) for events in news.values())
    own = sum(len(said[row.pk]) for row in rows)
    return Received(recorded=recorded, known=own - recorded, unknown=len(receipts) - own)


def _take_up(row: Notification, receipts: Sequence[Receipt], *, now: datetime) -> set[str]:
    """Sets the columns of an unsaved row; returns the events that are told for the first time."""
    news: set[str] = set()
    for receipt in receipts:
        column = COLUMNS[receipt.event]
        at, stored = max(min(receipt.at, now), row.created_at), getattr(row, column)
        if stored is None:
            news.add(receipt.event.value)
        setattr(row, column, at if stored is None else min(stored, at))
    return news
