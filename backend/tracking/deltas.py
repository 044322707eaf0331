"""What is new for a phone since its cursor: changed check-ins and tombstones, in order.

A cursor names the last row that the phone was given, its place in the sequence and the epoch of
the database. Where a restore has put the clock back, the row is missing or stands earlier, and
the phone is given everything again rather than left with a hole.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from backend.tracking.models import CheckIn, SyncEpoch

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


def delta_since(patient_id: UUID, cursor: Cursor | None) -> Delta:
    """Up to `PAGE` rows of this patient that changed after the cursor."""
    epoch = SyncEpoch.objects.get().epoch
    holds = cursor is None or _holds(patient_id, cursor, epoch)
    start = cursor.seq if cursor is not None and holds else 0
    found = CheckIn.objects.filter(patient_id=patient_id, sync_seq__gt=start)
    rows = list(found.order_by("sync_seq")[: PAGE + 1])
    has_more, rows = len(rows) > PAGE, rows[:PAGE]
    last = Cursor(epoch, rows[-1].sync_seq, rows[-1].pk) if rows else None
    stays = cursor if cursor is not None and holds else Cursor(epoch)
    return Delta(
        rows=rows,
        cursor=last or stays,
        has_more=has_more,
        starts_over=cursor is None or not holds,
    )


def _holds(patient_id: UUID, cursor: Cursor, epoch: UUID) -> bool:
    if cursor.epoch != epoch:
        return False
    if cursor.last_id is None:
        return cursor.seq == 0
    row = CheckIn.objects.filter(patient_id=patient_id, pk=cursor.last_id).first()
    return row is not None and row.sync_seq >= cursor.seq
