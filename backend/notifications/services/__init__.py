"""Deciding to send, sending, and what follows from it."""

from __future__ import annotations

from backend.notifications.services.channels import note_results
from backend.notifications.services.contact_points import (
    add_contact_point,
    checked_address,
    remove_contact_point,
    retire_contact_point_again,
    send_contact_codes,
    verify_contact_point,
)
from backend.notifications.services.delivering import (
    DeliveryReport,
    deliver_due,
    repeat_unconfirmed,
)
from backend.notifications.services.heartbeats import announce_channels, beat
from backend.notifications.services.leases import Lane
from backend.notifications.services.password_mails import send_password_mails
from backend.notifications.services.pauses import pause_delivery, resume_delivery
from backend.notifications.services.permission import WATCHING, consent_subject
from backend.notifications.services.queueing import (
    NotificationDraft,
    cancel_pending,
    cancel_pending_to,
    queue_notifications,
)
from backend.notifications.services.receipts import Receipt, ReceiptEvent, Received, record_receipts

__all__ = [
    "WATCHING",
    "DeliveryReport",
    "Lane",
    "NotificationDraft",
    "Receipt",
    "ReceiptEvent",
    "Received",
    "add_contact_point",
    "announce_channels",
    "beat",
    "cancel_pending",
    "cancel_pending_to",
    "checked_address",
    "consent_subject",
    "deliver_due",
    "note_results",
    "pause_delivery",
    "queue_notifications",
    "record_receipts",
    "remove_contact_point",
    "repeat_unconfirmed",
    "resume_delivery",
    "retire_contact_point_again",
    "send_contact_codes",
    "send_password_mails",
    "verify_contact_point",
]
