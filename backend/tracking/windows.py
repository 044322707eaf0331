"""Recent days of many patients as arrays: one query, then no more Python per value than needed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from backend.rows import array_of
from backend.tracking.trends import SIGNALS

WINDOW_DAYS = 90
COLUMNS = tuple(signal.name for signal in SIGNALS)

# One row comes back, a column for the places and one for every signal, packed as PostgreSQL sends
# numbers in binary: reading many rows one by one cost more than finding them. A place counts
# through people x days. An item that nobody gave is NaN, as in the arrays. The order within a
# person is the index's own, so that nothing is sorted.
_QUERY = f"""
SELECT string_agg(int4send((person::int4 - 1) * days + days - 1 - (as_of - local_date)), ''),
       {", ".join(f"string_agg(float8send({name}), '')" for name in COLUMNS)}
  FROM (SELECT patient_id, as_of, person, %s::int4 AS days
          FROM unnest(%s::uuid[], %s::date[]) WITH ORDINALITY AS w(patient_id, as_of, person)) AS w
 CROSS JOIN LATERAL
       (SELECT DISTINCT ON (local_date) local_date,
               {", ".join(f"COALESCE({name}::float8, 'NaN') AS {name}" for name in COLUMNS)}
          FROM tracking_checkin
         WHERE patient_id = w.patient_id AND kind = 'daily' AND withdrawn_at IS NULL
           AND local_date > w.as_of - w.days AND local_date <= w.as_of
         ORDER BY local_date DESC, recorded_at DESC, received_at DESC) AS c
"""  # noqa: S608 - the column names are constants of this module


@dataclass(frozen=True, slots=True)
class Windows:
    """`raw` maps a signal to people x days (NaN missing), the last day being each one's `as_of`."""

    patient_ids: tuple[UUID, ...]
    as_of: tuple[date, ...]
    raw: Mapping[str, NDArray[np.float64]]

    def digest(self, person: int, *, first: int = 0) -> bytes:
        """SHA-256 of what an evaluation saw that counted this person's days from `first` on."""
        seen = hashlib.sha256(self.as_of[person].isoformat().encode())
        if first:
            seen.update(first.to_bytes(2))
        for name in COLUMNS:
            seen.update(np.ascontiguousarray(self.raw[name][person, first:]).tobytes())
        return seen.digest()


def latest_days(patient_ids: Sequence[UUID]) -> dict[UUID, date]:
    """The last day each of them made a daily check-in about; who never did is left out."""
    with connection.cursor() as cursor:
        # One look at the end of the index a person: nobody's history is read for its last day.
        cursor.execute(
            "SELECT w.patient_id, latest.local_date FROM unnest(%s::uuid[]) AS w(patient_id)"
            " CROSS JOIN LATERAL (SELECT local_date FROM tracking_checkin AS c"
            "  WHERE c.patient_id = w.patient_id AND kind = 'daily' AND withdrawn_at IS NULL"
            "  ORDER BY local_date DESC, recorded_at DESC LIMIT 1) AS latest",
            [array_of(patient_ids)],
        )
        return dict(cursor.fetchall())


def load_windows(as_of: Mapping[UUID, date], *, days: int = WINDOW_DAYS) -> Windows:
    """The last `days` days of each of these patients, up to the day given for each."""
    ids, ends = tuple(as_of), tuple(as_of.values())
    raw = {name: np.full((len(ids), days), np.nan) for name in COLUMNS}
    with connection.cursor() as cursor:
        cursor.execute(_QUERY, [days, array_of(ids), array_of(ends)])
        places, *packed = (column or b"" for column in cursor.fetchone())
    for values, column in zip(raw.values(), packed, strict=True):
        values.reshape(-1)[np.frombuffer(places, dtype=">i4")] = np.frombuffer(column, dtype=">f8")
    return Windows(patient_ids=ids, as_of=ends, raw=raw)


def sliding(windows: Windows, *, days: int = WINDOW_DAYS) -> Windows:
    """One person's history as of each of its days: days x window, for evaluating the past."""
    (patient_id,), (end,) = windows.patient_ids, windows.as_of
    length = windows.raw[COLUMNS[0]].shape[1]
    lead = np.full(days - 1, np.nan)
    raw = {
        name: np.lib.stride_tricks.sliding_window_view(
            np.concatenate([lead, values[0]]), window_shape=days
        )
        for name, values in windows.raw.items()
    }
    ends = tuple(end - timedelta(days=length - 1 - index) for index in range(length))
    return Windows(patient_ids=(patient_id,) * length, as_of=ends, raw=raw)
