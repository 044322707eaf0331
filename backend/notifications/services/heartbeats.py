"""Saying "I am still going round my loop", for whoever promises that messages leave."""

from __future__ import annotations

from datetime import datetime

from backend.notifications.models import Heartbeat


def beat(*, process: str, now: datetime) -> None:
    """Notes that a process of this kind (`relay`, `worker`) is alive. Copies share one row."""
    Heartbeat.objects.bulk_create(
        [Heartbeat(process=process, beat_at=now)],
        update_conflicts=True,
        unique_fields=["process"],
        update_fields=["beat_at"],
    )
