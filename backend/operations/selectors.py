"""How delivery and the rest are doing: ids and counts, and nothing of any person.

Each part is one cheap query; the page and the metrics show the same facts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Count, Min, Q

from backend.aftercare import crisis_resources, texts
from backend.aftercare.models import Alert, AlertStatus
from backend.notifications.models import (
    ChannelState,
    DeliveryAttempt,
    DeliveryPause,
    Heartbeat,
    Notification,
    Priority,
)
from backend.notifications.selectors import ANNOUNCED_FOR, stopped_among
from backend.operations.invariants import INVARIANTS
from backend.operations.models import Finding
from backend.privacy.models import AuditSeal
from backend.row_security import acting_as_system
from backend.tracking.models import AssessmentRequest

LEDGER_SPAN = timedelta(hours=24)
RECENT = timedelta(hours=1)
DEAD_SPAN = timedelta(days=7)
DEAD_SHOWN = 20
UNANSWERED_SHOWN = 20
RECONCILER_LATE_AFTER = timedelta(minutes=3)

CHANNELS = ("firebase", "web_push", "email", "sms")
"""Every way a message can leave, in the order in which they are tried."""

BEATS: Mapping[str, timedelta] = {
    "relay": timedelta(seconds=15),
    "worker": timedelta(seconds=60),
    "beat": timedelta(seconds=60),
}
"""How old the heartbeat of each process may be."""


@dataclass(frozen=True, slots=True)
class LaneState:
    """`due` are pending and past their time; `oldest_due_at` is the longest overdue of them."""

    lane: str
    pending: int
    due: int
    oldest_due_at: datetime | None


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """Tries through one channel with one outcome."""

    channel: str
    outcome: str
    last_hour: int
    last_day: int


@dataclass(frozen=True, slots=True)
class ChannelLine:
    """`is_configured`: a process that sends has said so lately. `refused_by` are those of its
    services to which nothing is sent at this moment."""

    channel: str
    is_configured: bool
    stopped_until: datetime | None
    failing_since: datetime | None
    last_error: str
    last_accepted_at: datetime | None
    refused_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BeatLine:
    process: str
    beat_at: datetime | None
    is_alive: bool


@dataclass(frozen=True, slots=True)
class FindingLine:
    """`checked_at` is None for what was never looked at."""

    invariant: str
    count: int
    checked_at: datetime | None
    since: datetime | None


@dataclass(frozen=True, slots=True)
class DeadLine:
    notification_id: UUID
    kind: str
    settled_at: datetime


@dataclass(frozen=True, slots=True)
class SealLine:
    number: int
    last_id: int
    sealed_at: datetime
    root: str


@dataclass(frozen=True, slots=True)
class Status:
    """Everything at one moment. `settled` counts the last day's messages by outcome, `unanswered`
    are open alerts that everybody on their ladder was told of and nobody has answered."""

    now: datetime
    lanes: list[LaneState]
    ledger: list[LedgerLine]
    settled: Mapping[str, int]
    dead: list[DeadLine]
    dead_count: int
    channels: list[ChannelLine]
    beats: list[BeatLine]
    findings: list[FindingLine]
    seal: SealLine | None
    pauses: list[tuple[str, datetime]]
    unanswered: list[tuple[UUID, datetime]]
    evaluations_waiting: int
    oldest_evaluation_at: datetime | None
    unreviewed_texts: int
    unverified_lines: int

    @property
    def is_anything_configured(self) -> bool:
        return any(channel.is_configured for channel in self.channels)

    @property
    def reconciled_at(self) -> datetime | None:
        """When every invariant had been looked at; None when one never was."""
        moments = [line.checked_at for line in self.findings]
        return min((at for at in moments if at), default=None) if all(moments) else None

    @property
    def reconciler_is_late(self) -> bool:
        at = self.reconciled_at
        return at is None or self.now - at > RECONCILER_LATE_AFTER


@acting_as_system("operations.count")
def read_status(*, now: datetime) -> Status:
    """A dozen small queries, each on an index."""
    evaluations = AssessmentRequest.objects.aggregate(count=Count("pk"), oldest=Min("requested_at"))
    dead = Notification.objects.filter(outcome="dead", settled_at__gt=now - DEAD_SPAN)
    return Status(
        now=now,
        lanes=_lanes(now),
        ledger=_ledger(now),
        settled=_settled(now),
        dead=_dead(now),
        dead_count=dead.count(),
        channels=_channels(now),
        beats=_beats(now),
        findings=_findings(),
        seal=_seal(),
        pauses=list(
            DeliveryPause.objects.filter(ended_at__isnull=True)
            .order_by("began_at")
            .values_list("reason", "began_at")
        ),
        unanswered=_unanswered(),
        evaluations_waiting=evaluations["count"],
        oldest_evaluation_at=evaluations["oldest"],
        unreviewed_texts=len(texts.unreviewed()),
        unverified_lines=len(crisis_resources.unverified()),
    )


@acting_as_system("operations.count")
def delivery_state(*, now: datetime) -> str:
    """`paused`, `stalled` (an urgent message is a minute overdue), or `moving`; one query."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM notifications_deliverypause WHERE ended_at IS NULL),"
            " EXISTS (SELECT FROM notifications_notification WHERE settled_at IS NULL"
            "   AND priority = 0 AND due_at < %(now)s - interval '60 seconds')",
            {"now": now},
        )
        is_paused, is_stalled = cursor.fetchone()
    return "paused" if is_paused else "stalled" if is_stalled else "moving"


def _lanes(now: datetime) -> list[LaneState]:
    is_due = Q(due_at__lte=now)
    rows = (
        Notification.objects.filter(settled_at__isnull=True)
        .values("priority")
        .annotate(
            pending=Count("pk"),
            due=Count("pk", filter=is_due),
            oldest=Min("due_at", filter=is_due),
        )
    )
    found = {
        row["priority"]: LaneState("", row["pending"], row["due"], row["oldest"]) for row in rows
    }
    return [
        replace(found.get(priority.value, LaneState("", 0, 0, None)), lane=priority.name.lower())
        for priority in Priority
    ]


def _ledger(now: datetime) -> list[LedgerLine]:
    rows = (
        DeliveryAttempt.objects.filter(ended_at__gt=now - LEDGER_SPAN)
        .values("channel", "outcome")
        .annotate(day=Count("pk"), hour=Count("pk", filter=Q(ended_at__gt=now - RECENT)))
        .order_by("channel", "outcome")
    )
    return [
        LedgerLine(
            channel=row["channel"],
            outcome=row["outcome"],
            last_hour=row["hour"],
            last_day=row["day"],
        )
        for row in rows
    ]


def _settled(now: datetime) -> dict[str, int]:
    rows = Notification.objects.filter(created_at__gt=now - LEDGER_SPAN).values("outcome")
    counted = rows.annotate(count=Count("pk")).order_by("outcome")
    return {row["outcome"] or "pending": row["count"] for row in counted}


def _dead(now: datetime) -> list[DeadLine]:
    rows = Notification.objects.filter(outcome="dead", settled_at__gt=now - DEAD_SPAN)
    values = rows.order_by("-settled_at").values_list("pk", "kind", "settled_at")
    return [DeadLine(pk, kind, at) for pk, kind, at in values[:DEAD_SHOWN] if at is not None]


def _unanswered() -> list[tuple[UUID, datetime]]:
    rows = Alert.objects.filter(exhausted_at__isnull=False, status=AlertStatus.OPEN)
    found = rows.order_by("exhausted_at").values_list("pk", "exhausted_at")[:UNANSWERED_SHOWN]
    return [(alert_id, at) for alert_id, at in found if at is not None]


def _channels(now: datetime) -> list[ChannelLine]:
    states = ChannelState.objects.in_bulk()
    names = [*CHANNELS, *sorted(states.keys() - set(CHANNELS))]
    return [_channel(states.get(name) or ChannelState(channel=name), now) for name in names]


def _channel(state: ChannelState, now: datetime) -> ChannelLine:
    announced, stopped = state.announced_at, state.stopped_until
    return ChannelLine(
        channel=state.channel,
        is_configured=announced is not None and announced > now - ANNOUNCED_FOR,
        stopped_until=stopped if stopped is not None and stopped > now else None,
        failing_since=state.failing_since,
        last_error=state.last_error,
        last_accepted_at=state.last_accepted_at,
        refused_by=tuple(sorted(stopped_among(state.services, now=now))),
    )


def _beats(now: datetime) -> list[BeatLine]:
    known = dict(Heartbeat.objects.values_list("process", "beat_at"))
    return [
        BeatLine(
            process=name,
            beat_at=known.get(name),
            is_alive=name in known and known[name] > now - life,
        )
        for name, life in BEATS.items()
    ]


def _findings() -> list[FindingLine]:
    rows = Finding.objects.in_bulk()
    return [
        FindingLine(name, row.count, row.checked_at, row.since)
        if (row := rows.get(name))
        else FindingLine(name, 0, None, None)
        for name in INVARIANTS
    ]


def _seal() -> SealLine | None:
    row = AuditSeal.objects.order_by("-number").first()
    return SealLine(row.number, row.last_id, row.sealed_at, row.digest) if row else None
