"""Saying "I am still going round my loop", for whoever promises that messages leave."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from backend.notifications.models import ChannelState, Heartbeat
from backend.notifications.push import Channel


def beat(*, process: str, now: datetime) -> None:
    """Notes that a process of this kind is alive. Copies share one row."""
    Heartbeat.objects.bulk_create(
        [Heartbeat(process=process, beat_at=now)],
        update_conflicts=True,
        unique_fields=["process"],
        update_fields=["beat_at"],
    )


def announce_channels(*, channels: Iterable[str], now: datetime, web_push_key: str = "") -> None:
    """Notes which channels are configured for a process that sends, for whoever looks.

    `web_push_key` is the public half of the key that pushes to browsers are signed with: browsers
    ask for it, and the process that they ask is never given the private one.
    """
    keys = {Channel.WEB_PUSH.value: web_push_key}
    ChannelState.objects.bulk_create(
        [
            ChannelState(channel=name, announced_at=now, public_key=keys.get(name, ""))
            for name in sorted(channels)
        ],
        update_conflicts=True,
        unique_fields=["channel"],
        update_fields=["announced_at", "public_key"],
    )
