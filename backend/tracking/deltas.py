"""What is new for a phone since its cursor: changed check-ins and tombstones, in order.

A cursor names the last row that the phone was given, its place in the sequence and the epoch of
the database. Where a restore has put the clock back, the row is missing or stands earlier, and
the phone is given everything again rather than left with a hole.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

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
    epoch, place = _standing(patient_id, cursor)
    holds = cursor is None or _holds(cursor, epoch, place)
    start = cursor.seq if cursor is not None and holds else 0
    found = CheckIn.objects.filter(patient_id=patient_id, sync_seq__gt=start).order_by("sync_seq")
    changed = list(found.values_list("sync_seq", "pk", "revision")[: PAGE + 1])
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


def _standing(patient_id: UUID, cursor: Cursor | None) -> tuple[UUID, int | None]:
    """The database's epoch, and where the cursor's last row stands now; None where it is gone."""
    last_id = cursor.last_id if cursor is not None else None
    with connection.cursor() as database:
        database.execute(
            "SELECT epoch, (SELECT sync_seq FROM tracking_checkin"
            "  WHERE id = %s::uuid AND patient_id = %s::uuid) FROM tracking_syncepoch",
            [last_id, patient_id],
        )
        epoch, place = database.fetchone()
    return epoch, place


def _holds(cursor: Cursor, epoch: UUID, place: int | None) -> bool:
    if cursor.epoch != epoch:
        return False
    if cursor.last_id is None:
        return cursor.seq == 0
    return place is not None and place >= cursor.seq
