"""Reads about messages and their delivery."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, Max, Min, Q
from django.db.models.functions import Coalesce

from backend.accounts.models import Device
from backend.notifications.models import (
    ChannelState,
    ContactPoint,
    DeliveryAttempt,
    DeliveryPause,
    Notification,
)
from backend.notifications.push import Channel, Outcome
from backend.rows import array_of, every, one

DELIVERERS = ("relay", "worker")
BEHIND_PHONES = ("web_push", "email", "sms")
"""Channels that stand in for push: their trouble alone keeps nobody from being told."""

KEY_LIFE = timedelta(days=1)
"""How long what was announced is held to be so: senders that are down for hours come back."""
ANNOUNCED_FOR = timedelta(minutes=2)
"""How long it counts that a process has said which channels it can send through."""

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
    tried_since: datetime | None = None

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


def contact_points_by_user(user_ids: Collection[UUID]) -> Mapping[UUID, list[ContactPoint]]:
    """The verified addresses of these accounts."""
    found: defaultdict[UUID, list[ContactPoint]] = defaultdict(list)
    rows = ContactPoint.objects.filter(
        user_id__in=user_ids, verified_at__isnull=False, retired_at__isnull=True
    )
    for point in rows:
        found[point.user_id].append(point)
    return found


def live_ways(user_ids: Collection[UUID]) -> Mapping[UUID, frozenset[str]]:
    """In which ways these accounts can be reached now: `push`, and channels of verified addresses.

    Who cannot be reached is not in it.
    """
    found: defaultdict[UUID, set[str]] = defaultdict(set)
    for user_id, way in every(_LIVE_WAYS, {"user_ids": array_of(user_ids)}):
        found[user_id].add(way)
    return {user_id: frozenset(ways) for user_id, ways in found.items()}


_LIVE_WAYS = """
SELECT user_id, 'push' FROM accounts_device
WHERE user_id = ANY(%(user_ids)s::uuid[]) AND unbound_at IS NULL AND is_private
UNION ALL
SELECT user_id, channel FROM notifications_contactpoint
WHERE user_id = ANY(%(user_ids)s::uuid[]) AND verified_at IS NOT NULL AND retired_at IS NULL
"""


def working_channels(*, now: datetime) -> frozenset[str]:
    """Those that a process has lately said it can send through, and that are not stopped."""
    rows = ChannelState.objects.filter(announced_at__gt=now - ANNOUNCED_FOR)
    working = rows.exclude(stopped_until__gt=now)
    return frozenset(working.values_list("channel", flat=True))


def working_addresses(wanted: Mapping[UUID, Collection[str]], *, now: datetime) -> frozenset[UUID]:
    """Those of these accounts with a verified address in one of their ways, whose channel somebody
    can send through now."""
    channels = working_channels(now=now)
    points = contact_points_by_user(wanted.keys())
    return frozenset(
        user_id
        for user_id, ways in wanted.items()
        if any(one.channel in channels and one.channel in ways for one in points.get(user_id, ()))
    )


def own_contact_points(user_id: UUID) -> list[ContactPoint]:
    """The addresses of one account that are in use or wait for their code."""
    rows = ContactPoint.objects.filter(user_id=user_id, retired_at__isnull=True)
    return list(rows.order_by("channel"))


def ledgers(ids: Collection[UUID]) -> Mapping[UUID, Mapping[UUID, Ledger]]:
    """By notification and device or contact point. What was never tried is not in it."""
    found: defaultdict[UUID, dict[UUID, Ledger]] = defaultdict(dict)
    rows = (
        DeliveryAttempt.objects.filter(notification_id__in=ids)
        .values("notification_id", tried_id=Coalesce("device_id", "contact_point_id"))
        .annotate(
            tries=Count("pk"),
            accepted=Count("pk", filter=Q(outcome=Outcome.ACCEPTED.value)),
            rejected=Count("pk", filter=Q(outcome=Outcome.REJECTED.value)),
            again_at=Max("retry_at"),
            since=Min("started_at"),
        )
    )
    for row in rows:
        found[row["notification_id"]][row["tried_id"]] = Ledger(
            acceptances=row["accepted"],
            was_rejected=row["rejected"] > 0,
            tries=row["tries"],
            retry_at=row["again_at"],
            tried_since=row["since"],
        )
    return found


def stopped_channels(*, now: datetime) -> frozenset[str]:
    """Through which nothing is to be sent at this moment, by the names of their senders."""
    rows = ChannelState.objects.filter(stopped_until__gt=now)
    return frozenset(rows.values_list("channel", flat=True))


def stopped_services(*, now: datetime) -> frozenset[str]:
    """Of the push services of browsers, those that nothing is to be sent to at this moment."""
    found = ChannelState.objects.filter(channel=Channel.WEB_PUSH).values_list("services", flat=True)
    return frozenset().union(*(stopped_among(services, now=now) for services in found))


def stopped_among(services: Mapping[str, Any], *, now: datetime) -> frozenset[str]:
    """Of the services that a channel's state holds, those that are stopped at this moment."""
    return frozenset(
        service
        for service, said in services.items()
        if datetime.fromisoformat(said["stopped_until"]) > now
    )


def web_push_key(*, now: datetime) -> str:
    """What browsers subscribe with, in URL-safe base64; empty where nobody pushes to browsers."""
    announced = ChannelState.objects.filter(
        channel=Channel.WEB_PUSH, announced_at__gt=now - KEY_LIFE
    )
    return announced.values_list("public_key", flat=True).first() or ""


def delivery_is_paused() -> bool:
    """Whether nothing at all is to be sent."""
    return DeliveryPause.objects.filter(ended_at__isnull=True).exists()


def delivery_is_alive(*, now: datetime) -> bool:
    """Whether a message queued now can be expected to leave soon.

    Somebody who delivers has gone round their loop within `HEARTBEAT_LIFE`, delivery is not
    paused, and push is not stopped, nor has it failed for longer than `FAILING_TOO_LONG` without
    one accepted message.
    """
    row = one(
        _IS_ALIVE,
        {
            "now": now,
            "deliverers": list(DELIVERERS),
            "beat_after": now - HEARTBEAT_LIFE,
            "behind_phones": list(BEHIND_PHONES),
            "recently": now - FAILURE_IS_RECENT,
            "too_long": FAILING_TOO_LONG,
        },
    )
    return bool(row and row[0])


_IS_ALIVE = """
SELECT EXISTS (
        SELECT 1 FROM notifications_heartbeat
        WHERE process = ANY(%(deliverers)s) AND beat_at > %(beat_after)s)
    AND NOT EXISTS (SELECT 1 FROM notifications_deliverypause WHERE ended_at IS NULL)
    AND NOT EXISTS (
        SELECT 1 FROM notifications_channelstate
        WHERE channel <> ALL(%(behind_phones)s) AND (stopped_until > %(now)s
            OR failed_at > %(recently)s AND failing_since < failed_at - %(too_long)s))
"""
