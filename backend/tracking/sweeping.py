"""Everyone, a range at a time: what a sweep over any number of workers takes up and reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from backend.rows import array_of
from backend.tracking.models import SweepRange
from backend.tracking.windows import COLUMNS, Windows

RANGES = 64
# Often enough that every zone's day is judged within hours of its end.
EVERY = timedelta(hours=6)
LEASE = timedelta(minutes=5)


def claim_range(*, now: datetime) -> int | None:
    """The range that has waited longest; None while none is due. Two workers get two."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO tracking_sweeprange (number, due_at)"
            " SELECT n, %s FROM generate_series(0, %s) AS n"
            " WHERE NOT EXISTS (SELECT FROM tracking_sweeprange) ON CONFLICT DO NOTHING",
            [now, RANGES - 1],
        )
        cursor.execute(
            "UPDATE tracking_sweeprange SET due_at = %s WHERE number = ("
            " SELECT number FROM tracking_sweeprange WHERE due_at <= %s"
            " ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING number",
            [now + LEASE, now],
        )
        found = cursor.fetchone()
    return int(found[0]) if found else None


def finish_range(number: int, *, now: datetime) -> None:
    """It is due again in hours."""
    SweepRange.objects.filter(number=number).update(due_at=now + EVERY)


def ends_of(number: int) -> tuple[UUID, UUID]:
    """The first and the last id of a range."""
    size = 2**128 // RANGES
    return UUID(int=number * size), UUID(int=(number + 1) * size - 1)


@dataclass(frozen=True, slots=True)
class Said:
    """What the latest assessment of a day was made of, and by which rules."""

    digest: bytes
    ruleset: str


def said_last(as_of: Mapping[UUID, date]) -> dict[UUID, Said]:
    """For each of these patients what was said last of the day given, by one look into an index.

    Of who took back their last day, that is not what was said last of all.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT w.patient_id, said.input_digest, said.ruleset"
            " FROM unnest(%s::uuid[], %s::date[]) AS w(patient_id, as_of)"
            " CROSS JOIN LATERAL (SELECT input_digest, ruleset FROM tracking_assessment AS a"
            "  WHERE a.patient_id = w.patient_id AND a.as_of_on = w.as_of"
            "  ORDER BY assessed_at DESC LIMIT 1) AS said",
            [array_of(as_of), array_of(as_of.values())],
        )
        return {row[0]: Said(bytes(row[1]), row[2]) for row in cursor.fetchall()}


def rows_of(windows: Windows, rows: Sequence[int]) -> Windows:
    """Some of the people of these windows."""
    return Windows(
        patient_ids=tuple(windows.patient_ids[row] for row in rows),
        as_of=tuple(windows.as_of[row] for row in rows),
        raw={name: values[list(rows)] for name, values in windows.raw.items()},
    )


def answered_until(
    given: NDArray[np.bool_], missed: Sequence[int] | NDArray[np.int64]
) -> NDArray[np.bool_]:
    """People x days on which a rating came, each one's last day moved on by the days `missed`.

    `given` is people x days up to each one's own last check-in. That day counts whatever it holds:
    a check-in without ratings is one. Who has answered about a later day misses nothing now.
    """
    ahead = np.asarray(missed, dtype=np.int64)
    given = given.copy()
    given[:, -1] = True
    days = given.shape[1]
    source = np.arange(days)[None, :] + ahead[:, None]
    result = np.take_along_axis(given, np.clip(source, 0, days - 1), axis=1)
    result &= (source >= 0) & (source < days)
    result[:, -1] |= ahead < 0
    return result


def given_in(windows: Windows) -> NDArray[np.bool_]:
    """People x days on which any rating came."""
    given: NDArray[np.bool_] = ~np.isnan(windows.raw[COLUMNS[0]])
    for name in COLUMNS[1:]:
        given |= ~np.isnan(windows.raw[name])
    return given
