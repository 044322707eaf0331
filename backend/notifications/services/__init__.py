"""Deciding to send, sending, and what follows from it."""

from __future__ import annotations

from backend.notifications.services.delivering import (
    DeliveryReport,
    deliver_due,
    repeat_unconfirmed,
)
from backend.notifications.services.heartbeats import beat
from backend.notifications.services.leases import Lane
from backend.notifications.services.password_mails import send_password_mails
from backend.notifications.services.queueing import (
    NotificationDraft,
    cancel_pending,
    queue_notifications,
)
from backend.notifications.services.receipts import Receipt, ReceiptEvent, Received, record_receipts

__all__ = [
    "DeliveryReport",
    "Lane",
    "NotificationDraft",
    "Receipt",
    "ReceiptEvent",
    "Received",
    "beat",
    "cancel_pending",
    "deliver_due",
    "queue_notifications",
    "record_receipts",
    "repeat_unconfirmed",
    "send_password_mails",
]
