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
    """What the latest assessment was made of, and by which rules."""

    digest: bytes
    ruleset: str


def said_last(patient_ids: Sequence[UUID]) -> dict[UUID, Said]:
    """For each of these patients, by one look at the end of an index a person."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT w.patient_id, said.input_digest, said.ruleset"
            " FROM unnest(%s::uuid[]) AS w(patient_id)"
            " CROSS JOIN LATERAL (SELECT input_digest, ruleset FROM tracking_assessment AS a"
            "  WHERE a.patient_id = w.patient_id"
            "  ORDER BY as_of_on DESC, assessed_at DESC LIMIT 1) AS said",
            [array_of(patient_ids)],
        )
        return {row[0]: Said(bytes(row[1]), row[2]) for row in cursor.fetchall()}


def rows_of(windows: Windows, rows: Sequence[int]) -> Windows:
    """Some of the people of these windows."""
    return Windows(
        patient_ids=tuple(windows.patient_ids[row] for row in rows),
        as_of=tuple(windows.as_of[row] for row in rows),
        raw={name: values[list(rows)] for name, values in windows.raw.items()},
    )


def answered_until(windows: Windows, until: Mapping[UUID, date]) -> NDArray[np.bool_]:
    """People x days on which a rating came, the last day being each one's own in `until`.

    The last day of a window counts whatever it holds: a check-in without ratings is one.
    """
    given = np.any(~np.isnan(np.stack([windows.raw[name] for name in COLUMNS])), axis=0)
    people, days = given.shape
    given[:, -1] = True
    result = np.zeros((people, days), dtype=bool)
    for row, patient_id in enumerate(windows.patient_ids):
        missed = (until[patient_id] - windows.as_of[row]).days
        if missed > 0:
            result[row, : max(days - missed, 0)] = given[row, missed:]
        else:
            result[row, -missed:] = given[row, : days + missed]
            # Who has answered about a later day already misses nothing now.
            result[row, -1] |= missed < 0
    return result
