"""Everyone's window in one row, so that reading many people is one short scan.

A packed window is the same days as the rows, kept by whoever answers the request to assess. It
counts while no such request stands: whatever changes a check-in leaves one in its own transaction,
and whoever clears it holds the patient's lock and keeps a new window, or none, with the clearing.
`docs/adr/0013-packed-windows.md` says why that cannot show old days as new.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from backend.rows import array_of
from backend.tracking.windows import COLUMNS, WINDOW_DAYS, Windows, load_windows

# Hours of sleep come in hundredths, everything else in whole numbers.
STEPS = {name: 100 if name == "sleep_hours" else 1 for name in COLUMNS}
MISSING = -1
_CODE = np.dtype("<i2")
SIZE = len(COLUMNS) * WINDOW_DAYS * _CODE.itemsize
_KEEP = """
INSERT INTO tracking_packedwindow (patient_id, last_on, days, ruleset)
SELECT * FROM unnest(%s::uuid[], %s::date[], %s::bytea[], %s::text[])
ON CONFLICT (patient_id) DO UPDATE SET last_on = EXCLUDED.last_on, days = EXCLUDED.days,
    ruleset = EXCLUDED.ruleset
"""
_HOLD = """
SELECT id FROM accounts_patient WHERE id = ANY(%s::uuid[]) ORDER BY id
   FOR NO KEY UPDATE SKIP LOCKED
"""


@dataclass(frozen=True, slots=True)
class Packed:
    """One person's days up to `last_on`, judged by `ruleset`."""

    last_on: date
    days: bytes
    ruleset: str


def packed_of(windows: Windows, row: int, *, ruleset: str) -> Packed | None:
    """None where a value has no exact place in the packed form; the rows are then read."""
    codes, is_exact = encode({name: windows.raw[name][row : row + 1] for name in COLUMNS})
    return Packed(windows.as_of[row], codes[0].tobytes(), ruleset) if is_exact[0] else None


def encode(raw: dict[str, NDArray[np.float64]]) -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
    """People x signals x days as they are kept, and of whom these are the values to the last bit.

    `raw` maps a signal to people x days.
    """
    steps = np.array([STEPS[name] for name in COLUMNS], dtype=float)[None, :, None]
    values = np.stack([raw[name] for name in COLUMNS], axis=1)
    codes = np.where(np.isnan(values), MISSING, np.rint(values * steps))
    fits = (codes <= np.iinfo(_CODE).max).all(axis=(1, 2)) & (codes.shape[2] == WINDOW_DAYS)
    encoded = np.where(fits[:, None, None], codes, MISSING).astype(_CODE)
    again = decode(encoded)
    for place, name in enumerate(COLUMNS):
        there = values[:, place]
        same = (again[name] == there) | (np.isnan(again[name]) & np.isnan(there))
        fits &= same.all(axis=1)
    return encoded, fits


def decode(codes: NDArray[np.int16]) -> dict[str, NDArray[np.float64]]:
    """What was packed, as `Windows` hold it: a signal to people x days, missing is NaN."""
    raw = {}
    for place, name in enumerate(COLUMNS):
        of_signal = codes[:, place]
        values = of_signal.astype(np.float64)
        if STEPS[name] != 1:
            values /= STEPS[name]
        values[of_signal < 0] = np.nan
        raw[name] = values
    return raw


def codes_of(days: Sequence[bytes]) -> NDArray[np.int16]:
    """People x signals x days as they are kept; below zero is missing."""
    joined = np.frombuffer(b"".join(days), dtype=_CODE)
    return joined.reshape(len(days), len(COLUMNS), WINDOW_DAYS)


def windows_up_to(
    ends: Mapping[UUID, date], packed: Mapping[UUID, Packed | None], *, days: int
) -> Windows:
    """The last `days` days of each of these patients, up to the day given for each.

    Out of what is `packed` where it reaches back far enough, out of their rows where it does not.
    """
    first = WINDOW_DAYS - days
    begins, kept = [], {}
    for patient_id, end in ends.items():
        one = packed.get(patient_id)
        begin = first + (end - one.last_on).days if one else -1
        if one and 0 <= begin <= WINDOW_DAYS:
            kept[patient_id] = one
            begins.append(begin)
    codes = codes_of([one.days for one in kept.values()])
    nothing_yet = np.full((*codes.shape[:2], days), MISSING, dtype=_CODE)
    places = np.array(begins, dtype=np.int64).reshape(-1, 1, 1) + np.arange(days)
    raw = decode(np.take_along_axis(np.concatenate([codes, nothing_yet], axis=2), places, axis=2))
    if others := {one: end for one, end in ends.items() if one not in kept}:
        read = load_windows(others, days=days)
        raw = {name: np.concatenate([raw[name], read.raw[name]]) for name in COLUMNS}
    return Windows(
        patient_ids=(*kept, *others),
        as_of=(*(ends[patient_id] for patient_id in kept), *others.values()),
        raw=raw,
    )


def hold(patient_ids: Sequence[UUID]) -> list[UUID]:
    """Locks these patients until the transaction ends; whom somebody else holds is passed over."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, [array_of(patient_ids)])
        return [row[0] for row in cursor.fetchall()]


def keep_window(patient_id: UUID, packed: Packed | None) -> None:
    """Keeps this window in place of the former; None keeps none. Under the patient's lock."""
    if packed is None:
        drop_windows([patient_id])
    else:
        keep_windows({patient_id: packed})


def keep_windows(windows: dict[UUID, Packed]) -> None:
    """Keeps each in place of the former, in one statement. Under the locks of the patients."""
    kept = windows.values()
    with connection.cursor() as cursor:
        cursor.execute(
            _KEEP,
            [
                array_of(windows),
                array_of(one.last_on for one in kept),
                [one.days for one in kept],
                [one.ruleset for one in kept],
            ],
        )


def drop_windows(patient_ids: Sequence[UUID]) -> None:
    """From here on the rows of these people are read. Under the locks of the patients."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM tracking_packedwindow WHERE patient_id = ANY(%s::uuid[])",
            [array_of(patient_ids)],
        )
