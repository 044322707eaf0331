"""Reads about messages and their delivery."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Count, Exists, F, Max, Q

from backend.accounts.models import Device
from backend.notifications.models import (
    ChannelState,
    DeliveryAttempt,
    Heartbeat,
    Notification,
)
from backend.notifications.push import Outcome

HEARTBEAT_LIFE = timedelta(seconds=15)
FAILING_TOO_LONG = timedelta(seconds=30)
FAILURE_IS_RECENT = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the attempts of one notification at one device add up to."""

    acceptances: int = 0
    was_rejected: bool = False
    tries: int = 0
    retry_at: datetime | None = None

    @property
    def was_accepted(self) -> bool:
        return self.acceptances > 0


def database_now() -> datetime:
    """The clock that all senders share, whatever their machines' clocks say."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def leased(token: UUID, ids: Collection[UUID]) -> dict[UUID, Notification]:
    """Those of these rows that this lease still holds, with everybody they concern."""
    is_work = Q(settled_at__isnull=True) | Q(repeat_due_at__isnull=False)
    rows = Notification.objects.filter(is_work, pk__in=ids, lease_token=token).select_related(
        "recipient", "patient__organisation"
    )
    return {row.pk: row for row in rows}


def live_devices_by_user(user_ids: Collection[UUID]) -> Mapping[UUID, list[Device]]:
    """The phones that messages of these accounts go to now."""
    found: defaultdict[UUID, list[Device]] = defaultdict(list)
    rows = Device.objects.filter(user_id__in=user_ids, unbound_at__isnull=True, is_private=True)
    for device in rows.order_by("registered_at"):
        found[device.user_id].append(device)
    return found


def ledgers(ids: Collection[UUID]) -> Mapping[UUID, Mapping[UUID, Ledger]]:
    """By notification and device. A device that was never tried is not in it."""
    found: defaultdict[UUID, dict[UUID, Ledger]] = defaultdict(dict)
    rows = (
        DeliveryAttempt.objects.filter(notification_id__in=ids)
        .values("notification_id", "device_id")
        .annotate(
            tries=Count("pk"),
            accepted=Count("pk", filter=Q(outcome=Outcome.ACCEPTED.value)),
            rejected=Count("pk", filter=Q(outcome=Outcome.REJECTED.value)),
            again_at=Max("retry_at"),
        )
    )
    for row in rows:
        found[row["notification_id"]][row["device_id"]] = Ledger(
            acceptances=row["accepted"],
            was_rejected=row["rejected"] > 0,
            tries=row["tries"],
            retry_at=row["again_at"],
        )
    return found


def channel_is_stopped(channel: str, *, now: datetime) -> bool:
    """Whether nothing is to be sent through it at this moment."""
    return ChannelState.objects.filter(channel=channel, stopped_until__gt=now).exists()


def delivery_is_alive(*, now: datetime) -> bool:
    """Whether a message queued now can be expected to leave soon.

    Somebody who delivers has gone round their loop within `HEARTBEAT_LIFE`, and no channel is
    stopped or has failed for longer than `FAILING_TOO_LONG` without one accepted message.
    """
    trouble = ChannelState.objects.filter(
        Q(stopped_until__gt=now)
        | Q(
            failed_at__gt=now - FAILURE_IS_RECENT,
            failing_since__lt=F("failed_at") - FAILING_TOO_LONG,
        )
    )
    beats = Heartbeat.objects.filter(beat_at__gt=now - HEARTBEAT_LIFE)
    return beats.filter(~Exists(trouble)).exists()
