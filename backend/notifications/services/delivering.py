"""Sending what is due: claim, look again, send outside any transaction, record, settle.

A call takes one batch. Any number of senders may run at once. A crash at any point leaves rows
whose lease runs out, and somebody else sends them again under the same id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from django.db import connection

from backend.notifications.delivery_rules import Ending, Send, decide
from backend.notifications.push import Channel, Outcome, Sender, SendResult
from backend.notifications.selectors import (
    delivery_is_paused,
    stopped_channels,
    stopped_services,
)
from backend.notifications.services.leases import Claim, Lane, claim, claim_repeats, hand_back
from backend.notifications.services.recording import Tried, apply, end, record
from backend.notifications.services.situations import Situation, channel_of, situations
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


Senders = Mapping[Channel, Sender]


def repeat_unconfirmed(
    *, sender: Sender, now: Clock, limit: int = BATCH, others: Senders | None = None
) -> DeliveryReport:
    """Sends one batch of accepted messages once more that no app has confirmed in time.

    Apps alone confirm, in phones and in browsers: of `others`, addresses get nothing. Everything
    is looked at again as before a first send. Raises RuntimeError inside a transaction.
    """
    _refuse_in_transaction()
    ways = _open_ways({Channel.PUSH: sender, **(others or {})}, now=now())
    if ways is None:
        return DeliveryReport()
    batch = claim_repeats(limit=limit, now=now())
    return _deliver(batch, ways=ways, now=now, limit=limit)


def deliver_due(
    *,
    sender: Sender,
    now: Clock,
    lane: Lane = Lane.ALL,
    limit: int = BATCH,
    others: Senders | None = None,
) -> DeliveryReport:
    """Sends one batch of what is due; `now` is asked again at every step.

    `sender` pushes to phones; `others` reach clinicians that no phone has. Nothing is claimed
    while delivery is paused or every channel is stopped. When the batch was full there may be
    more, and the next one is woken. Raises RuntimeError inside a transaction: a message cannot be
    rolled back.
    """
    _refuse_in_transaction()
    ways = _open_ways({Channel.PUSH: sender, **(others or {})}, now=now())
    if ways is None:
        return DeliveryReport()
    batch = claim(lane=lane, suspects=False, limit=limit, now=now())
    report = _deliver(batch, ways=ways, now=now, limit=limit)
    # Alone and after the others: it may be the one that ends this process.
    suspect = claim(lane=lane, suspects=True, limit=1, now=now())
    report += _deliver(suspect, ways=ways, now=now, limit=limit)
    if report.is_full:
        enqueue_on_commit(Job.DELIVER_DUE)
    return report


def _refuse_in_transaction() -> None:
    if connection.in_atomic_block:
        raise RuntimeError("messages are sent outside any transaction")


@dataclass(frozen=True, slots=True)
class Ways:
    """The senders there are, which of their channels are stopped for now, and which push services
    of browsers."""

    senders: Senders
    stopped: frozenset[Channel]
    stopped_services: frozenset[str]


def _open_ways(senders: Senders, *, now: datetime) -> Ways | None:
    """None while nothing at all is to be sent."""
    if delivery_is_paused():
        return None
    names = stopped_channels(now=now)
    stopped = frozenset(way for way, sender in senders.items() if sender.name in names)
    if len(stopped) == len(senders):
        return None
    services = stopped_services(now=now) if Channel.WEB_PUSH in senders else frozenset()
    return Ways(senders, stopped, services)


def _deliver(batch: Claim, *, ways: Ways, now: Clock, limit: int) -> DeliveryReport:
    settled = 0
    for notification_id in batch.exhausted_ids:
        ending = Ending.ACCEPTED if batch.is_repeat else Ending.DEAD
        settled += end(notification_id, batch.token, ending, now=now())
    started_at = now()
    outgoing, settled_unsent = _look_again(batch, ways=ways, now=started_at)
    tried = _send(outgoing, senders=ways.senders, now=started_at)
    settled += settled_unsent + record(tried, token=batch.token, started_at=started_at, now=now)
    claimed = len(batch.ids) + len(batch.exhausted_ids)
    accepted = {one.situation.row.pk for one in tried if one.outcome is Outcome.ACCEPTED}
    return DeliveryReport(
        claimed=claimed,
        sent=len(tried),
        accepted=len(accepted),
        settled=settled,
        is_full=claimed >= limit,
    )


Outgoing = list[tuple[Situation, UUID]]


def _look_again(batch: Claim, *, ways: Ways, now: datetime) -> tuple[Outgoing, int]:
    """Which of the claimed go where; the others are settled or handed back here."""
    found: dict[UUID, Situation] = {}
    if batch.ids:
        found = situations(
            batch.token,
            batch.ids,
            channels=set(ways.senders),
            stopped=ways.stopped | ways.stopped_services,
            now=now,
        )
    outgoing: Outgoing = []
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


def _send(outgoing: Outgoing, *, senders: Senders, now: datetime) -> list[Tried]:
    """Channel by channel; each is bounded in time, and together they stay below the lease."""
    grouped: dict[Channel, Outgoing] = {}
    for situation, place_id in outgoing:
        way = channel_of(situation.devices[place_id])
        grouped.setdefault(way, []).append((situation, place_id))
    return [one for way in grouped for one in _send_by(grouped[way], sender=senders[way], now=now)]


def _send_by(outgoing: Outgoing, *, sender: Sender, now: datetime) -> list[Tried]:
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
        Tried(situation, device_id, sender.name, result)
        for (situation, device_id), result in zip(outgoing, results, strict=True)
    ]
