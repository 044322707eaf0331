"""Writing down what became of a batch: ledger, channel, gone phones, rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction

from backend.accounts.actor import Actor
from backend.accounts.models import Device
from backend.accounts.services import retire_device
from backend.notifications.delivery_rules import (
    DeviceFacts,
    Ending,
    Settle,
    Wait,
    retry_at,
    what_is_left,
)
from backend.notifications.models import ContactPoint, DeliveryAttempt, NotificationOutcome
from backend.notifications.push import Outcome, SendResult
from backend.notifications.services.channels import note_results
from backend.notifications.services.contact_points import retire_contact_point
from backend.notifications.services.leases import hand_back, settle
from backend.notifications.services.situations import Situation

logger = structlog.get_logger(__name__)

ACTOR = Actor.system("deliver_due")


@dataclass(frozen=True, slots=True)
class Tried:
    """One address of one notification, and what became of the message.

    `channel` is the name of the sender.
    """

    situation: Situation
    device_id: UUID
    channel: str
    result: SendResult

    @property
    def outcome(self) -> Outcome:
        return self.result.outcome

    def retry_at(self, now: datetime) -> datetime | None:
        facts = self.situation.facts
        return retry_at(
            self.outcome,
            is_acute=facts.is_acute,
            tries=self.situation.device_facts(self.device_id).tries,
            retry_after=self.result.retry_after,
            now=now,
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """What all messages of one send have in common."""

    token: UUID
    started_at: datetime
    ended_at: datetime


def record(
    tried: Sequence[Tried], *, token: UUID, started_at: datetime,
    now: Callable[[], datetime],
) -> int:  # fmt: skip
    """Writes it all, a transaction for each notification; returns how many are settled."""
    if not tried:
        return 0
    batch = Batch(token=token, started_at=started_at, ended_at=now())
    for channel in sorted({one.channel for one in tried}):
        results = [one.result for one in tried if one.channel == channel]
        note_results(channel=channel, results=results, now=batch.ended_at)
    grouped: dict[UUID, list[Tried]] = {}
    for one in tried:
        grouped.setdefault(one.situation.row.pk, []).append(one)
    settled = 0
    for notification_id, group in grouped.items():
        try:
            settled += _record_one(group, batch)
        except IntegrityError:  # erased while it was being sent; the others must still be settled
            logger.exception("attempt_not_recorded", notification_id=str(notification_id))
    return settled


@transaction.atomic
def _record_one(group: Sequence[Tried], batch: Batch) -> int:
    """The ledger always; the row itself only while the lease is ours."""
    again_at = {one.device_id: one.retry_at(batch.ended_at) for one in group}
    DeliveryAttempt.objects.bulk_create(
        [_attempt(one, batch, again_at[one.device_id]) for one in group]
    )
    situation = group[0].situation
    outcomes = {one.outcome for one in group}
    facts = replace(
        situation.facts,
        devices=_devices_after(group, again_at, now=batch.ended_at),
        anyone_accepted=situation.facts.anyone_accepted or Outcome.ACCEPTED in outcomes,
    )
    return apply(
        situation.row.pk,
        what_is_left(facts, now=batch.ended_at),
        batch.token,
        counts=outcomes != {Outcome.OUR_FAULT},
        now=batch.ended_at,
    )


def _attempt(one: Tried, batch: Batch, again_at: datetime | None) -> DeliveryAttempt:
    is_phone = isinstance(one.situation.devices[one.device_id], Device)
    return DeliveryAttempt(
        notification=one.situation.row,
        device_id=one.device_id if is_phone else None,
        contact_point_id=None if is_phone else one.device_id,
        attempt=one.situation.row.attempts,
        channel=one.channel[:12],
        outcome=one.outcome.value,
        error=one.result.error[:60],
        provider_id=one.result.provider_id[:200],
        started_at=batch.started_at,
        ended_at=batch.ended_at,
        retry_at=again_at,
    )


def _devices_after(
    group: Sequence[Tried], again_at: Mapping[UUID, datetime | None], *, now: datetime
) -> list[DeviceFacts]:
    """The live devices and their new standing; one whose target is gone is retired and left out."""
    standing = {device.device_id: device for device in group[0].situation.facts.devices}
    for one in group:
        if one.outcome is Outcome.TARGET_GONE and _retire(one, now=now):
            del standing[one.device_id]
            continue
        standing[one.device_id] = replace(
            standing[one.device_id],
            was_accepted=one.outcome is Outcome.ACCEPTED,
            was_rejected=one.outcome is Outcome.REJECTED,
            retry_at=again_at[one.device_id],
        )
    return list(standing.values())


def _retire(one: Tried, *, now: datetime) -> bool:
    place = one.situation.devices[one.device_id]
    if isinstance(place, ContactPoint):
        return retire_contact_point(actor=ACTOR, point=place, reason="target_gone", now=now)
    return retire_device(
        actor=ACTOR,
        device_id=one.device_id,
        push_target=place.push_target,
        reason="target_gone",
        now=now,
    )


def apply(
    notification_id: UUID, decision: Settle | Wait, token: UUID, *, counts: bool, now: datetime
) -> int:
    """Writes a decision that sends nothing; 1 when it settled the row."""
    if isinstance(decision, Settle):
        return end(notification_id, token, decision.ending, now=now)
    hand_back(notification_id, token, due_at=decision.until, counts=counts)
    return 0


def end(notification_id: UUID, token: UUID, ending: Ending, *, now: datetime) -> int:
    """Settles the row if the lease is ours; 1 when it did. A dead one is told to the operator."""
    ended = settle(notification_id, token, NotificationOutcome(ending.value), now=now)
    if ended and ending is Ending.DEAD:
        logger.error("notification_dead", notification_id=str(notification_id))
    return int(ended)
