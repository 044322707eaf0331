"""Looks each minute whether what must always hold does hold. Mends nothing: that is for a person.

The operator is told once for as long as something is wrong: by one line of the log, by the page,
by the metrics, and by the silence of the dead-man's switch, which hears from clean rounds alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction

from backend.operations.invariants import INVARIANTS
from backend.operations.models import Finding

logger = structlog.get_logger(__name__)

EVERY = timedelta(seconds=60)
# A copy that comes a moment early still looks, so that beat and relay do not miss a minute.
_AT_LEAST = EVERY - timedelta(seconds=5)
# Of our own choosing: one looks at a time, and the next one does not wait but leaves.
_LOOKING = 0x5245434F


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What one round found: how many rows, over all invariants."""

    looked: bool
    found: int = 0


def reconcile(*, now: datetime, ping: Callable[[], None]) -> Reconciled:
    """One round, where the last one is a minute old; any number of copies may ask for it.

    `ping` tells the switch outside that a clean round has ended; it never raises.
    """
    round_ = _look(now)
    if round_.looked and not round_.found:
        ping()
    return round_


@transaction.atomic
def _look(now: datetime) -> Reconciled:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOOKING])
        if not cursor.fetchone()[0]:
            return Reconciled(looked=False)
        standing = Finding.objects.in_bulk()
        if not _is_due(standing, now):
            return Reconciled(looked=False)
        counts = {}
        for name, statement in INVARIANTS.items():
            cursor.execute(statement, {"now": now})
            counts[name] = cursor.fetchone()[0]
    rows = [_row(standing.get(name), name, count, now) for name, count in counts.items()]
    _tell(rows, now)
    Finding.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["invariant"],
        update_fields=["count", "checked_at", "since", "told_at"],
    )
    return Reconciled(looked=True, found=sum(counts.values()))


def _is_due(standing: dict[str, Finding], now: datetime) -> bool:
    checked = [standing[name].checked_at for name in INVARIANTS if name in standing]
    return len(checked) < len(INVARIANTS) or min(checked) <= now - _AT_LEAST


def _row(before: Finding | None, name: str, count: int, now: datetime) -> Finding:
    if not count:
        return Finding(invariant=name, count=0, checked_at=now)
    return Finding(
        invariant=name,
        count=count,
        checked_at=now,
        since=(before.since if before else None) or now,
        told_at=before.told_at if before else None,
    )


def _tell(rows: list[Finding], now: datetime) -> None:
    """One line while anything is wrong, whatever else goes wrong meanwhile."""
    wrong = [row for row in rows if row.count]
    is_known = any(row.told_at for row in wrong)
    if wrong and not is_known:
        names = ",".join(row.invariant for row in wrong)
        logger.error("invariants_broken", code=names, count=sum(row.count for row in wrong))
    for row in wrong:
        row.told_at = row.told_at or now
