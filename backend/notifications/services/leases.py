"""Who is sending what: claims, and the fenced writes of whoever holds one.

A claim is one statement that commits by itself. Every later write names the lease's token, so a
sender that has been overtaken changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID, uuid4

from django.db import connection
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Coalesce

from backend.notifications.delivery_rules import REPEAT_ACUTE_AFTER, REPEAT_AFTER
from backend.notifications.models import Notification, NotificationOutcome, Priority

LEASE = timedelta(seconds=20)
"""Longer than one batch can take: see `delivering.BATCH` and the sender's own time limits."""

SUSPECT_AFTER = 2
"""Claims in a row that nobody came back from, after which a row is claimed alone: if it is the
one that kills its worker, it shall not take its neighbours with it."""

MOST_UNRETURNED_CLAIMS = 10

_CLAIM = """
UPDATE notifications_notification
SET lease_token = %(token)s, lease_expires_at = %(lease_expires_at)s,
    attempts = attempts + 1, unreturned_claims = unreturned_claims + 1
WHERE id = ANY (ARRAY (
    SELECT id FROM notifications_notification
    WHERE {is_due} AND (lease_expires_at IS NULL OR lease_expires_at <= %(now)s)
    ORDER BY priority, {due_column}
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
))
RETURNING id, priority, {due_column}, unreturned_claims
"""
_CLAIM_PENDING = _CLAIM.format(
    is_due="settled_at IS NULL AND due_at <= %(now)s AND priority <= %(lowest)s"
    " AND (unreturned_claims >= %(suspect_after)s) = %(suspects)s",
    due_column="due_at",
)
_CLAIM_REPEATS = _CLAIM.format(is_due="repeat_due_at <= %(now)s", due_column="repeat_due_at")


class Lane(StrEnum):
    """What a sender takes. Acute messages go first in both."""

    ACUTE = "acute"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Claim:
    """Rows under one lease, the most urgent first. Those of repeats are settled already."""

    token: UUID
    ids: list[UUID]
    exhausted_ids: list[UUID]
    is_repeat: bool = False


def claim(*, lane: Lane, suspects: bool, limit: int, now: datetime) -> Claim:
    """Takes up to `limit` due rows, or one suspect. `exhausted_ids` are past every allowance."""
    asked = {
        "lowest": Priority.ACUTE if lane is Lane.ACUTE else Priority.NORMAL,
        "suspect_after": SUSPECT_AFTER,
        "suspects": suspects,
        "limit": 1 if suspects else limit,
    }
    return _claimed(_CLAIM_PENDING, asked, most_unreturned=MOST_UNRETURNED_CLAIMS, now=now)


def claim_repeats(*, limit: int, now: datetime) -> Claim:
    """Takes up to `limit` accepted messages that nobody has confirmed in time.

    A repeat that workers did not come back from is not worth another one: it is exhausted.
    """
    claimed = _claimed(_CLAIM_REPEATS, {"limit": limit}, most_unreturned=SUSPECT_AFTER, now=now)
    return replace(claimed, is_repeat=True)


def _claimed(
    statement: str, asked: dict[str, int | bool], *, most_unreturned: int, now: datetime
) -> Claim:
    token = uuid4()
    with connection.cursor() as cursor:
        cursor.execute(
            statement, {**asked, "token": token, "now": now, "lease_expires_at": now + LEASE}
        )
        rows = sorted(cursor.fetchall(), key=lambda row: (row[1], row[2]))
    exhausted = [row[0] for row in rows if row[3] > most_unreturned]
    return Claim(token, [row[0] for row in rows if row[0] not in exhausted], exhausted)


def settle(
    notification_id: UUID, token: UUID, outcome: NotificationOutcome, *, now: datetime
) -> bool:
    """Ends it, if the lease is still ours. A repeat ends without changing how the row stands.

    An accepted message that no app has confirmed yet gets its one repeat here.
    """
    values: dict[str, object] = {"settled_at": now, "outcome": outcome.value}
    if outcome is NotificationOutcome.CANCELLED:
        values["cancelled_at"] = Coalesce("cancelled_at", Value(now))
    if outcome is NotificationOutcome.ACCEPTED:
        values["repeat_due_at"] = _first_repeat(now)
    return _fenced(_PENDING, notification_id, token, values) or _fenced(
        _SETTLED, notification_id, token, {"repeat_due_at": None}
    )


def hand_back(notification_id: UUID, token: UUID, *, due_at: datetime | None, counts: bool) -> bool:
    """Ends the lease and leaves the row pending, if the lease is still ours.

    `counts` is false when nothing was tried; `due_at` is None when it stays due as it was.
    """
    pending: dict[str, object] = {} if due_at is None else {"due_at": due_at}
    repeat: dict[str, object] = {} if due_at is None else {"repeat_due_at": due_at}
    tries: dict[str, object] = {} if counts else {"attempts": F("attempts") - 1}
    return _fenced(_PENDING, notification_id, token, {**pending, **tries}) or _fenced(
        _SETTLED, notification_id, token, {**repeat, **tries}
    )


def _first_repeat(now: datetime) -> Case:
    acute_at, normal_at = now + REPEAT_ACUTE_AFTER, now + REPEAT_AFTER
    unconfirmed = Q(received_at__isnull=True, opened_at__isnull=True, acted_on_at__isnull=True)
    is_acute = Q(priority=Priority.ACUTE)
    return Case(
        When(unconfirmed & is_acute & Q(expires_at__gt=acute_at), then=Value(acute_at)),
        When(unconfirmed & ~is_acute & Q(expires_at__gt=normal_at), then=Value(normal_at)),
        default=None,
    )


_PENDING = Q(settled_at__isnull=True)
_SETTLED = Q(settled_at__isnull=False)
NO_REPEAT = MappingProxyType(
    {"repeat_due_at": None, "lease_token": None, "lease_expires_at": None, "unreturned_claims": 0}
)
"""What takes back a repeat, from under a sender's lease as well."""


def _fenced(state: Q, notification_id: UUID, token: UUID, values: dict[str, object]) -> bool:
    held = Notification.objects.filter(state, pk=notification_id, lease_token=token)
    changed = held.update(**values, lease_token=None, lease_expires_at=None, unreturned_claims=0)
    return changed == 1
