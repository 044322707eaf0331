"""Sending nothing: while a restored database may not know yet who moved on."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db import transaction

from backend.accounts import audit
from backend.accounts.actor import Actor
from backend.notifications.models import DeliveryPause

logger = structlog.get_logger(__name__)


@transaction.atomic
def pause_delivery(*, actor: Actor, reason: str, now: datetime) -> bool:
    """From the next claim on nothing is sent; whether that is new. What is sent now is not stopped.

    `reason` is a short stable word, such as `restored`, and not for people's names.
    """
    _row, is_new = DeliveryPause.objects.get_or_create(
        reason=reason, ended_at=None, defaults={"began_at": now}
    )
    if is_new:
        audit.record(actor=actor, action="delivery.pause", facts={"reason": reason})
        logger.error("delivery_paused", code=reason)
    return is_new


@transaction.atomic
def resume_delivery(*, actor: Actor, now: datetime) -> int:
    """Ends every pause; returns how many there were."""
    ended = DeliveryPause.objects.filter(ended_at__isnull=True).update(ended_at=now)
    if ended:
        audit.record(actor=actor, action="delivery.resume", facts={"count": ended})
        logger.info("delivery_resumed", count=ended)
    return ended
