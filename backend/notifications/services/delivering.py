"""Sending what is due: claim, look again, send outside any transaction, record, settle.

A call takes one batch. Any number of senders may run at once. A crash at any point leaves rows
whose lease runs out, and somebody else sends them again under the same id.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from django.db import connection

from backend.notifications.delivery_rules import Ending, Send, decide
from backend.notifications.push import Outcome, Sender, SendResult
from backend.notifications.selectors import channel_is_stopped
from backend.notifications.services.leases import Claim, Lane, claim, claim_repeats, hand_back
from backend.notifications.services.recording import Tried, apply, end, record
from backend.notifications.services.situations import Situation, situations
from backend.queue import Job, enqueue_on_commit

logger = structlog.get_logger(__name__)

BATCH = 50
MOST_MESSAGES = 100
"""In one send. A sender works on as many at once, so that a batch ends well within its lease."""

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What one call did. `sent` counts messages, the others count notifications."""

    claimed: int = 0
    sent: int = 0
    accepted: int = 0
    settled: int = 0
    is_full: bool = False

    def __add__(self, other: DeliveryReport) -> DeliveryReport:
        return DeliveryReport(
            claimed=self.claimed + other.claimed,
            sent=self.sent + other.sent,
            accepted=self.accepted + other.accepted,
            settled=self.settled + other.settled,
            is_full=self.is_full or other.is_full,
        )


def repeat_unconfirmed(*, sender: Sender, now: Clock, limit: int = BATCH) -> DeliveryReport:
    """Sends one batch of accepted messages once more that no app has confirmed in time.

    Everything is looked at again as before a first send. Raises RuntimeError inside a transaction.
    """
    _refuse_in_transaction()
    if channel_is_stopped(sender.name, now=now()):
        return DeliveryReport()
    batch = claim_repeats(limit=limit, now=now())
    return _deliver(batch, sender=sender, now=now, limit=limit)


def deliver_due(
    *, sender: Sender, now: Clock, lane: Lane = Lane.ALL, limit: int = BATCH
) -> DeliveryReport:
    """Sends one batch of what is due; `now` is asked again at every step.

    Nothing is claimed while the channel is stopped. When the batch was full there may be more,
    and the next one is woken. Raises RuntimeError inside a transaction: a message cannot be
    rolled back.
    """
    _refuse_in_transaction()
    if channel_is_stopped(sender.name, now=now()):
        return DeliveryReport()
    batch = claim(lane=lane, suspects=False, limit=limit, now=now())
    report = _deliver(batch, sender=sender, now=now, limit=limit)
    # Alone and after the others: it may be the one that ends this process.
    suspect = claim(lane=lane, suspects=True, limit=1, now=now())
    report += _deliver(suspect, sender=sender, now=now, limit=limit)
    if report.is_full:
        enqueue_on_commit(Job.DELIVER_DUE)
    return report


def _refuse_in_transaction() -> None:
    if connection.in_atomic_block:
        raise RuntimeError("messages are sent outside any transaction")


def _deliver(batch: Claim, *, sender: Sender, now: Clock, limit: int) -> DeliveryReport:
    settled = 0
    for notification_id in batch.exhausted_ids:
        ending = Ending.ACCEPTED if batch.is_repeat else Ending.DEAD
        settled += end(notification_id, batch.token, ending, now=now())
    started_at = now()
    outgoing, settled_unsent = _look_again(batch, now=started_at)
    tried = _send(outgoing, sender=sender, now=started_at)
    settled += settled_unsent + record(
        tried, channel=sender.name, token=batch.token, started_at=started_at, now=now
    )
    claimed = len(batch.ids) + len(batch.exhausted_ids)
    accepted = {one.situation.row.pk for one in tried if one.outcome is Outcome.ACCEPTED}
    return DeliveryReport(
        claimed=claimed,
        sent=len(tried),
        accepted=len(accepted),
        settled=settled,
        is_full=claimed >= limit,
    )


def _look_again(batch: Claim, *, now: datetime) -> tuple[list[tuple[Situation, UUID]], int]:
    """Which of the claimed go to which phones; the others are settled or handed back here."""
    found = situations(batch.token, batch.ids) if batch.ids else {}
    outgoing: list[tuple[Situation, UUID]] = []
    settled = 0
    for situation in (found[key] for key in batch.ids if key in found):
        decision = decide(situation.facts, now=now)
        if not isinstance(decision, Send):
            settled += apply(situation.row.pk, decision, batch.token, counts=False, now=now)
        elif outgoing and len(outgoing) + len(decision.device_ids) > MOST_MESSAGES:
            hand_back(situation.row.pk, batch.token, due_at=None, counts=False)
        else:
            outgoing += [(situation, device_id) for device_id in sorted(decision.device_ids)]
    return outgoing, settled


def _send(
    outgoing: Sequence[tuple[Situation, UUID]], *, sender: Sender, now: datetime
) -> list[Tried]:
    if not outgoing:
        return []
    messages = [situation.message_for(device_id) for situation, device_id in outgoing]
    try:
        results = sender.send(messages, now=now)
    except Exception as error:
        # A sender does not raise. Should one do so all the same, it may have sent before that.
        logger.exception("sender_raised", channel=sender.name)
        results = [SendResult(Outcome.UNKNOWN, error=type(error).__name__)] * len(messages)
    if len(results) != len(messages):
        logger.error("sender_miscounted", channel=sender.name, count=len(results))
        results = [SendResult(Outcome.UNKNOWN, error="WrongCount")] * len(messages)
    return [
        Tried(situation, device_id, result)
        for (situation, device_id), result in zip(outgoing, results, strict=True)
    ]
