"""Reading the rows of many people and packing what was read; comparing what is packed with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction

from backend.rows import array_of
from backend.tracking.judging import judged_by
from backend.tracking.models import PackedWindow
from backend.tracking.packing import (
    Packed,
    drop_windows,
    encode,
    hold,
    keep_windows,
    packed_of,
)
from backend.tracking.windows import COLUMNS, Windows, latest_days, load_windows

# So many people are held at once while their windows are kept: a phone waits a moment at most.
HELD_PEOPLE = 200


@dataclass(frozen=True, slots=True)
class ReadRows:
    """Windows from the rows. For each the rules by which the latest assessment judged exactly
    these days; None where it did not, or there is none."""

    windows: Windows
    rulesets: tuple[str | None, ...]


def read_and_pack(patient_ids: Sequence[UUID]) -> Iterator[ReadRows]:
    """Reads some people at a time and keeps the window of each who was judged by it.

    Of anybody else none is kept. Who is being written to at this moment is read, and left as they
    are. The days are read while the people are held, so that nobody's window is newer.
    """
    for start in range(0, len(patient_ids), HELD_PEOPLE):
        asked = patient_ids[start : start + HELD_PEOPLE]
        with transaction.atomic():
            held = set(hold(asked))
            windows = load_windows(latest_days(asked))
            rulesets = judged_by(windows)
            fresh = _fresh(windows, rulesets, held)
            if gone := held - fresh.keys():
                drop_windows(list(gone))
            if fresh:
                keep_windows(fresh)
        yield ReadRows(windows, rulesets)


def pack_windows(patient_ids: Sequence[UUID]) -> None:
    """`read_and_pack` for whoever needs no more than that it is done."""
    for _read in read_and_pack(patient_ids):
        pass


def _fresh(windows: Windows, rulesets: Sequence[str | None], held: set[UUID]) -> dict[UUID, Packed]:
    codes, is_exact = encode({name: windows.raw[name] for name in COLUMNS})
    return {
        patient_id: Packed(windows.as_of[row], codes[row].tobytes(), ruleset)
        for row, (patient_id, ruleset) in enumerate(zip(windows.patient_ids, rulesets, strict=True))
        if ruleset is not None and is_exact[row] and patient_id in held
    }


def differing(patient_ids: Sequence[UUID]) -> list[UUID]:
    """Whose packed window counts and is not what their rows say. Whoever is held is passed over."""
    found = []
    for start in range(0, len(patient_ids), HELD_PEOPLE):
        with transaction.atomic():
            kept = _kept(hold(patient_ids[start : start + HELD_PEOPLE]))
            windows = load_windows(latest_days(list(kept)))
            row_of = {patient_id: row for row, patient_id in enumerate(windows.patient_ids)}
            for patient_id, packed in kept.items():
                row = row_of.get(patient_id)
                if row is None or packed_of(windows, row, ruleset=packed.ruleset) != packed:
                    found.append(patient_id)
    return found


def _kept(patient_ids: Sequence[UUID]) -> dict[UUID, Packed]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT patient_id, last_on, days, ruleset FROM tracking_packedwindow w"
            " WHERE patient_id = ANY(%s::uuid[]) AND NOT EXISTS (SELECT FROM"
            " tracking_assessmentrequest r WHERE r.patient_id = w.patient_id)",
            [array_of(patient_ids)],
        )
        return {row[0]: Packed(row[1], bytes(row[2]), row[3]) for row in cursor.fetchall()}


def packed_ids(first: UUID, last: UUID) -> list[UUID]:
    """Who has a packed window, from id `first` to `last`."""
    rows = PackedWindow.objects.filter(patient_id__gte=first, patient_id__lte=last)
    return list(rows.order_by("patient_id").values_list("patient_id", flat=True))
