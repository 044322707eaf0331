"""What is new for a phone since its cursor: what changed and tombstones, in order.

Of check-ins, and of whatever the areas above register: tables with `id`, `patient_id`, `revision`
and a `sync_seq` from the same sequence.

A cursor names the last row that the phone was given, its place in the sequence and the epoch of
the database. Where a restore has put the clock back, the row is missing or stands earlier, and
the phone is given everything again rather than left with a hole.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from django.db.models import Model

from backend.rows import every
from backend.tracking.models import CheckIn

PAGE = 500
KINDS: dict[str, type[Model]] = {"check_in": CheckIn}
"""What a phone is told of, by the name of its kind."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Opaque to phones. `seq` 0 is the beginning."""

    epoch: UUID
    seq: int = 0
    last_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Delta:
    """`rows` come with the names of their kinds.

    `starts_over`: this begins at the beginning, as there was no cursor or it no longer held.
    """

    rows: list[tuple[str, Any]]
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
    new = [(name, pk) for _seq, pk, revision, name in changed if (pk, revision) not in known]
    rows = {
        (name, pk): row
        for name in sorted({name for name, _pk in new})
        for pk, row in _read(name, [pk for other, pk in new if other == name]).items()
    }
    last = Cursor(epoch, changed[-1][0], changed[-1][1]) if changed else None
    stays = cursor if cursor is not None and holds else Cursor(epoch)
    return Delta(
        rows=[(one[0], rows[one]) for one in new if one in rows],
        cursor=last or stays,
        has_more=has_more,
        starts_over=cursor is None or not holds,
    )


def _changed(
    patient_id: UUID, cursor: Cursor | None, *, after: int
) -> tuple[UUID, int | None, list[tuple[int, UUID, int, str]]]:
    """The database's epoch; where the cursor's last row stands now, None where it is gone; and
    place, id, revision and kind of what changed `after`, one more than a page."""
    found = every(
        _statement(tuple(KINDS.items())),
        {
            "last_id": cursor.last_id if cursor is not None else None,
            "patient_id": patient_id,
            "after": after,
        },
    )
    epoch, place = found[0][:2]
    return epoch, place, [row[2:] for row in found if row[2] is not None]


def _read(name: str, ids: list[UUID]) -> dict[UUID, Any]:
    return KINDS[name]._default_manager.in_bulk(ids)


@cache
def _statement(kinds: tuple[tuple[str, type[Model]], ...]) -> str:
    """One, however many kinds there are: each of them is one more look into an index."""
    tables = [(name, kind._meta.db_table) for name, kind in kinds]
    places = ", ".join(
        f"(SELECT sync_seq FROM {table} WHERE id = %(last_id)s::uuid"  # noqa: S608 - ours
        " AND patient_id = %(patient_id)s)"
        for _name, table in tables
    )
    changed = " UNION ALL ".join(
        f"(SELECT sync_seq, id, revision, '{name}' AS kind FROM {table}"  # noqa: S608 - ours
        " WHERE patient_id = %(patient_id)s AND sync_seq > %(after)s"
        f" ORDER BY sync_seq LIMIT {PAGE + 1})"
        for name, table in tables
    )
    return (
        f"SELECT e.epoch, COALESCE({places}), c.*"  # noqa: S608 - ours
        " FROM tracking_syncepoch AS e LEFT JOIN LATERAL ("
        f"SELECT * FROM ({changed}) AS u ORDER BY sync_seq LIMIT {PAGE + 1}) AS c ON true"
    )


def _holds(cursor: Cursor, epoch: UUID, place: int | None) -> bool:
    if cursor.epoch != epoch:
        return False
    if cursor.last_id is None:
        return cursor.seq == 0
    return place is not None and place >= cursor.seq
