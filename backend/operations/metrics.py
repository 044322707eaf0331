"""The same facts as the operator's page, for Prometheus.

All of them come from the database, so that every web process answers alike and none keeps counts
of its own: one scrape is `read_status`, whichever process it reaches.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from backend.operations.selectors import Status

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class _Facts(Collector):
    """One answer's worth of gauges."""

    def __init__(self, status: Status) -> None:
        self._status = status

    def collect(self) -> Iterator[Metric]:
        status = self._status
        yield from _delivery(status)
        yield from _processes(status)
        yield from _rest(status)


def render(status: Status) -> bytes:
    """In the text format 0.0.4."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Facts(status))
    return generate_latest(registry)


def _age(now: datetime, at: datetime | None) -> float:
    """Seconds; 0 for what is not there."""
    return 0.0 if at is None else max(0.0, (now - at).total_seconds())


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"handrail_{name}", text, labels=labels)


def _delivery(status: Status) -> Iterator[Metric]:
    pending = _gauge("outbox_pending", "Messages not settled yet.", "lane")
    due = _gauge("outbox_due", "Messages past their time and not settled.", "lane")
    oldest = _gauge("outbox_oldest_due_seconds", "How long the oldest is overdue.", "lane")
    for lane in status.lanes:
        pending.add_metric([lane.lane], lane.pending)
        due.add_metric([lane.lane], lane.due)
        oldest.add_metric([lane.lane], _age(status.now, lane.oldest_due_at))
    attempts = _gauge("attempts_last_hour", "Tries in the last hour.", "channel", "outcome")
    for line in status.ledger:
        attempts.add_metric([line.channel, line.outcome], line.last_hour)
    settled = _gauge("messages_last_day", "The last day's by what became of them.", "outcome")
    for outcome, count in status.settled.items():
        settled.add_metric([outcome], count)
    dead = _gauge("dead_letters_last_week", "Messages that ended as dead in seven days.")
    dead.add_metric([], status.dead_count)
    paused = _gauge("delivery_paused", "1 while nothing is sent, as after a restore.")
    paused.add_metric([], int(bool(status.pauses)))
    yield from (pending, due, oldest, attempts, settled, dead, paused)


def _processes(status: Status) -> Iterator[Metric]:
    configured = _gauge("channel_configured", "1 when a sender says that it is.", "channel")
    stopped = _gauge("channel_stopped", "1 while our own fault stops it.", "channel")
    refused = _gauge(
        "channel_services_stopped", "Of its services, those that refuse us.", "channel"
    )
    failing = _gauge("channel_failing_seconds", "Since the first failure in a row.", "channel")
    for channel in status.channels:
        configured.add_metric([channel.channel], int(channel.is_configured))
        stopped.add_metric([channel.channel], int(channel.stopped_until is not None))
        refused.add_metric([channel.channel], len(channel.refused_by))
        failing.add_metric([channel.channel], _age(status.now, channel.failing_since))
    alive = _gauge("process_alive", "1 while the heartbeat is young enough.", "process")
    beat = _gauge("heartbeat_age_seconds", "Since the last heartbeat.", "process")
    for line in status.beats:
        alive.add_metric([line.process], int(line.is_alive))
        if line.beat_at is not None:
            beat.add_metric([line.process], _age(status.now, line.beat_at))
    yield from (configured, stopped, refused, failing, alive, beat)


def _rest(status: Status) -> Iterator[Metric]:
    broken = _gauge("invariant_broken", "Rows that break it; always 0.", "invariant")
    for line in status.findings:
        broken.add_metric([line.invariant], line.count)
    looked = _gauge("reconciler_late", "1 when the reconciler has not looked for 3 minutes.")
    looked.add_metric([], int(status.reconciler_is_late))
    waiting = _gauge("evaluations_waiting", "Patients to be evaluated.")
    waiting.add_metric([], status.evaluations_waiting)
    oldest = _gauge("evaluations_oldest_seconds", "How long the oldest of them has waited.")
    oldest.add_metric([], _age(status.now, status.oldest_evaluation_at))
    sealed = _gauge("audit_seal_age_seconds", "Since the audit log was last sealed.")
    sealed.add_metric([], _age(status.now, status.seal.sealed_at if status.seal else None))
    unread = _gauge("texts_unreviewed", "Clinical texts that no clinician has signed.")
    unread.add_metric([], status.unreviewed_texts)
    unverified = _gauge("crisis_lines_unverified", "Crisis lines not confirmed at their publisher.")
    unverified.add_metric([], status.unverified_lines)
    yield from (broken, looked, waiting, oldest, sealed, unread, unverified)
