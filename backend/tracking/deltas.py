"""What is new for a phone since its cursor: changed check-ins and tombstones, in order.

A cursor names the last row that the phone was given, its place in the sequence and the epoch of
the database. Where a restore has put the clock back, the row is missing or stands earlier, and
the phone is given everything again rather than left with a hole.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from uuid import UUID

from backend.rows import every
from backend.tracking.models import CheckIn

PAGE = 500


@dataclass(frozen=True, slots=True)
class Cursor:
    """Opaque to phones. `seq` 0 is the beginning."""

    epoch: UUID
    seq: int = 0
    last_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Delta:
    """`starts_over`: this begins at the beginning, as there was no cursor or it no longer held."""

    rows: list[CheckIn]
    cursor: Cursor
    has_more: bool
    starts_over: bool


def delta_since(
    patient_id: UUID, cursor: Cursor | None, *, known: Container[tuple[UUID, int]] = frozenset()
) -> Delta:
    """What of up to `PAGE` changes of this patient after the cursor the phone does not hold.

    `known` are the (id, revision) that it has sent just now: the cursor passes over them.
    """
    epoch, place, changed = _changed(patient_id, cursor, after=cursor.seq if cursor else 0)
    holds = cursor is None or _holds(cursor, epoch, place)
    if cursor is not None and not holds and cursor.seq > 0:
        epoch, place, changed = _changed(patient_id, cursor, after=0)
    has_more, changed = len(changed) > PAGE, changed[:PAGE]
    new = [pk for _seq, pk, revision in changed if (pk, revision) not in known]
    rows = CheckIn.objects.in_bulk(new) if new else {}
    last = Cursor(epoch, changed[-1][0], changed[-1][1]) if changed else None
    stays = cursor if cursor is not None and holds else Cursor(epoch)
    return Delta(
        rows=[rows[pk] for pk in new if pk in rows],
        cursor=last or stays,
        has_more=has_more,
        starts_over=cursor is None or not holds,
    )


def _changed(
    patient_id: UUID, cursor: Cursor | None, *, after: int
) -> tuple[UUID, int | None, list[tuple[int, UUID, int]]]:
    """The database's epoch; where the cursor's last row stands now, None where it is gone; and
    place, id and revision of what changed `after`, one more than a page."""
    found = every(
        _CHANGED,
        {
            "last_id": cursor.last_id if cursor is not None else None,
            "patient_id": patient_id,
            "after": after,
        },
    )
    epoch, place = found[0][:2]
    return epoch, place, [row[2:] for row in found if row[2] is not None]


_CHANGED = f"""
SELECT e.epoch, (SELECT sync_seq FROM tracking_checkin
        WHERE id = %(last_id)s::uuid AND patient_id = %(patient_id)s), c.*
    FROM tracking_syncepoch AS e LEFT JOIN LATERAL (
        SELECT sync_seq, id, revision FROM tracking_checkin
        WHERE patient_id = %(patient_id)s AND sync_seq > %(after)s
        ORDER BY sync_seq LIMIT {PAGE + 1}) AS c ON true
"""  # noqa: S608 - a number of ours


def _holds(cursor: Cursor, epoch: UUID, place: int | None) -> bool:
    if cursor.epoch != epoch:
        return False
    if cursor.last_id is None:
        return cursor.seq == 0
    return place is not None and place >= cursor.seq
