"""Saying "I am still going round my loop", for whoever promises that messages leave."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from backend.notifications.models import ChannelState, Heartbeat


def beat(*, process: str, now: datetime) -> None:
    """Notes that a process of this kind is alive. Copies share one row."""
    Heartbeat.objects.bulk_create(
        [Heartbeat(process=process, beat_at=now)],
        update_conflicts=True,
        unique_fields=["process"],
        update_fields=["beat_at"],
    )


def announce_channels(*, channels: Iterable[str], now: datetime) -> None:
    """Notes which channels are configured for a process that sends, for whoever looks."""
    ChannelState.objects.bulk_create(
        [ChannelState(channel=channel, announced_at=now) for channel in sorted(channels)],
        update_conflicts=True,
        unique_fields=["channel"],
        update_fields=["announced_at"],
    )
