"""Everyone whose id lies in a range, by column: whose packed window counts, and all others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
from django.db import connection
from numpy.typing import NDArray
from psycopg.pq import Format

from backend.tracking.packing import SIZE, codes_of, decode
from backend.tracking.windows import WINDOW_DAYS, Windows

EPOCH = date(1970, 1, 1).toordinal()
NEVER = 0
"""Before every day, as an ordinal."""

# One statement, so one snapshot: a change and its request are seen together or not at all.
_PEOPLE = """
SELECT p.id, p.time_zone, p.organisation_id,
       COALESCE(date_part('epoch', p.enrolled_at), 'NaN'),
       COALESCE(w.last_on - '1970-01-01'::date, 0), w.days, w.ruleset
  FROM accounts_patient p
  LEFT JOIN tracking_assessmentrequest r ON r.patient_id = p.id
  LEFT JOIN tracking_packedwindow w
    ON w.patient_id = p.id AND r.patient_id IS NULL AND octet_length(w.days) = %s
 WHERE p.id BETWEEN %s AND %s AND p.discharged_at IS NULL AND p.left_monitoring_at IS NULL
 ORDER BY p.id LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class People:
    """Monitored patients in the order of their ids.

    `enrolled_s` is seconds since 1970 (NaN: not enrolled). `packed` are the rows of those whose
    packed window counts; `codes` holds these alone, people x signals x days. A row without one has
    no `ruleset`, and its `last_on` (an ordinal) says nothing.
    """

    ids: tuple[UUID, ...]
    zones: tuple[str, ...]
    organisations: tuple[UUID, ...]
    enrolled_s: NDArray[np.float64]
    last_on: NDArray[np.int64]
    rulesets: tuple[str | None, ...]
    packed: NDArray[np.int64]
    codes: NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.ids)

    def others(self) -> list[UUID]:
        """Whose days have to be read from their rows."""
        pairs = zip(self.ids, self.rulesets, strict=True)
        return [patient_id for patient_id, ruleset in pairs if ruleset is None]

    def windows(self, rows: Sequence[int] | NDArray[np.int64]) -> Windows:
        """Those of some rows, each of which has a packed one."""
        places = np.searchsorted(self.packed, rows)
        return Windows(
            patient_ids=tuple(self.ids[row] for row in rows),
            as_of=tuple(date.fromordinal(int(self.last_on[row])) for row in rows),
            raw=decode(self.codes[places]),
        )

    def enrolled_on(self, until: NDArray[np.int64]) -> NDArray[np.int64]:
        """The first day with us where each of them is, as an ordinal; NEVER: not enrolled.

        Exact within the window before `until`, and a day off at most before that.
        """
        is_known = ~np.isnan(self.enrolled_s)
        days = np.where(is_known, self.enrolled_s, 0) // 86_400
        found = np.where(is_known, days + EPOCH, NEVER).astype(np.int64)
        for row in np.flatnonzero(found >= until - WINDOW_DAYS - 1):
            found[row] = self.enrolled_on_exactly(int(row))
        return found

    def enrolled_on_exactly(self, row: int) -> int:
        """The first day with us of one who is enrolled, as an ordinal in their own zone."""
        moment = datetime.fromtimestamp(float(self.enrolled_s[row]), tz=UTC)
        return moment.astimezone(ZoneInfo(self.zones[row])).toordinal()


def people_of(first: UUID, last: UUID, *, limit: int) -> People:
    """Up to `limit` monitored patients from id `first` to `last`."""
    with connection.cursor() as cursor:
        cursor.cursor.format = Format.BINARY  # as text, every byte of a window is two
        cursor.execute(_PEOPLE, [SIZE, first, last, limit])
        columns = list(zip(*cursor.fetchall(), strict=True)) or [()] * 7
    ids, zones, homes, enrolled, last_on, days, rulesets = columns
    return People(
        ids=ids,
        zones=zones,
        organisations=homes,
        enrolled_s=np.array(enrolled, dtype=np.float64),
        last_on=np.array(last_on, dtype=np.int64) + EPOCH,
        rulesets=rulesets,
        packed=np.flatnonzero([one is not None for one in days]),
        codes=codes_of([one for one in days if one is not None]),
    )
