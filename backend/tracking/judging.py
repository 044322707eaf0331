"""Windows judged by what holds for each person: their new normal, their organisation's limits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.accounts.models import Patient
from backend.tracking.adopted_limits import LimitsInUse, limits_in_use
from backend.tracking.baselines import first_counted, standing_starts
from backend.tracking.sweeping import said_last
from backend.tracking.trends import (
    LONGEST_RUN_DAYS,
    SIGNALS,
    TARGETS,
    TRENDS,
    Tier,
    Trend,
    WindowAssessment,
    assess_window,
)
from backend.tracking.windows import Windows


@dataclass(frozen=True, slots=True)
class Judged:
    """One entry a row of the windows. People under the same limits were judged together."""

    windows: Windows
    first: NDArray[np.int64]
    parts: tuple[WindowAssessment, ...]
    rulesets: tuple[str, ...]
    part_of: NDArray[np.int64]
    place: NDArray[np.int64]

    def facts(self, row: int) -> dict[str, Any]:
        """Everything an explanation needs, ready for JSON, with the rules that it came from."""
        found = self.parts[int(self.part_of[row])]
        facts = found.facts(int(self.place[row]), as_of=self.windows.as_of[row])
        return {**facts, "ruleset": self.ruleset(row)}

    def ruleset(self, row: int) -> str:
        """The name of the rules that this row was judged by."""
        return self.rulesets[int(self.part_of[row])]

    def digest(self, row: int) -> bytes:
        """SHA-256 of what was seen of this person."""
        return self.windows.digest(row, first=int(self.first[row]))

    def above(self, tier: Tier) -> NDArray[np.bool_]:
        """Who is worsening beyond the tier's limit."""
        result = np.zeros(len(self.part_of), dtype=bool)
        for part, found in enumerate(self.parts):
            rows = self.part_of == part
            result[rows] = found.above(tier)[self.place[rows]]
        return result

    def trends(self) -> NDArray[np.int64]:
        """Each one's trend, as an index into TRENDS."""
        result = np.empty(len(self.part_of), dtype=np.int64)
        for part, found in enumerate(self.parts):
            rows = self.part_of == part
            result[rows] = found.readings.trend[self.place[rows]]
        return result

    def known(self) -> NDArray[np.bool_]:
        """Who has a trend at all."""
        known: NDArray[np.bool_] = self.trends() != TRENDS.index(Trend.UNKNOWN)
        return known


def judged_by(windows: Windows) -> tuple[str | None, ...]:
    """The rules by which the latest assessment of each one's last day judged exactly these days.

    None where it was made of others, or there is none.
    """
    said = said_last(dict(zip(windows.patient_ids, windows.as_of, strict=True)))
    first = first_counted(windows, standing_starts(windows.patient_ids))
    rulesets = []
    for row, patient_id in enumerate(windows.patient_ids):
        last = said.get(patient_id)
        same = last is not None and last.digest == windows.digest(row, first=int(first[row]))
        rulesets.append(last.ruleset if last is not None and same else None)
    return tuple(rulesets)


def judge(
    windows: Windows,
    *,
    targets: Mapping[Tier, float] = TARGETS,
    look_back: int = LONGEST_RUN_DAYS,
) -> Judged:
    """Judges every row as of its own last day."""
    ids = set(windows.patient_ids)
    first = first_counted(windows, standing_starts(list(ids)))
    groups = _by_limits(windows)
    part_of = np.zeros(len(windows.patient_ids), dtype=np.int64)
    place = np.zeros(len(windows.patient_ids), dtype=np.int64)
    parts = []
    for part, (limits, rows) in enumerate(groups):
        part_of[rows], place[rows] = part, np.arange(len(rows))
        everyone = len(groups) == 1
        raw = windows.raw if everyone else {n: v[rows] for n, v in windows.raw.items()}
        parts.append(
            assess_window(
                raw,
                SIGNALS,
                baseline_from=first[rows],
                targets=targets,
                limits=limits.limits,
                look_back=look_back,
            )
        )
    rulesets = tuple(limits.ruleset for limits, _rows in groups)
    return Judged(windows, first, tuple(parts), rulesets, part_of, place)


def _by_limits(windows: Windows) -> list[tuple[LimitsInUse, list[int]]]:
    ids = set(windows.patient_ids)
    homes = dict(Patient.objects.filter(pk__in=ids).values_list("pk", "organisation_id"))
    in_use = limits_in_use(set(homes.values()))
    rows_of: defaultdict[str, list[int]] = defaultdict(list)
    limits_of: dict[str, LimitsInUse] = {}
    for row, patient_id in enumerate(windows.patient_ids):
        limits = in_use[homes[patient_id]]
        limits_of[limits.ruleset] = limits
        rows_of[limits.ruleset].append(row)
    return [(limits_of[ruleset], rows) for ruleset, rows in rows_of.items()]
