"""The door for the server: many people at once, from the window of recent days kept for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

import numpy as np

from .arrays import Bools, Floats, Ints
from .facts import person_facts
from .limits import TARGETS, Limits, shipped_limits
from .onset import WINDOW_DAYS
from .readings import LONGEST_RUN_DAYS, Readings, Rules, SignalReadings, read_window
from .results import TRENDS, Tier, Trend
from .signals import Signal, stacked_badness

DAYS_NEEDED = WINDOW_DAYS + LONGEST_RUN_DAYS
CHUNK_PEOPLE = 512


@dataclass(frozen=True, slots=True)
class WindowAssessment:
    """Readings of many people, with the badness they were made from (people x days x signals)."""

    signals: tuple[Signal, ...]
    badness: Floats
    readings: Readings

    def trend(self, person: int) -> Trend:
        """The person's direction."""
        return TRENDS[int(self.readings.trend[person])]

    def above(self, tier: Tier) -> Bools:
        """Who is worsening beyond the tier's limit."""
        since = self.readings.since_nudge if tier is Tier.NUDGE else self.readings.since_flag
        return since >= 0

    def facts(self, person: int, *, as_of: date) -> dict[str, Any]:
        """Everything an explanation needs, ready for JSON; `as_of` dates the last day."""
        return person_facts(self.readings, self.badness, self.signals, person, as_of=as_of)


def assess_window(
    raw: Mapping[str, Floats],
    signals: Sequence[Signal],
    *,
    baseline_from: Ints | None = None,
    targets: Mapping[Tier, float] = TARGETS,
    limits: Limits | None = None,
    look_back: int = LONGEST_RUN_DAYS,
) -> WindowAssessment:
    """Assess everyone as of the last day of `raw`: signal name -> people x days, NaN missing.

    All 90 days that are kept are needed; with fewer, runs and baselines are shorter.
    `baseline_from` gives for each person the first day (index into the window) that still counts
    after a clinician re-baselined; 0 keeps all. Without `look_back`, `since_*` say that someone is
    above a limit and not since when.
    """
    badness = stacked_badness(raw, signals)
    if baseline_from is not None:
        before = np.arange(badness.shape[1])[None, :] < baseline_from[:, None]
        badness = np.where(before[:, :, None], np.nan, badness)
    sd = np.array([signal.population_sd for signal in signals])
    rules = Rules(sd, limits or shipped_limits(), targets)
    if len(badness) <= CHUNK_PEOPLE:
        readings = read_window(badness, rules, look_back=look_back)
        return WindowAssessment(tuple(signals), badness, readings)
    starts = range(0, len(badness), CHUNK_PEOPLE)
    readings = _joined(
        [read_window(badness[start : start + CHUNK_PEOPLE], rules, look_back=0) for start in starts]
    )
    if look_back:
        _follow_runs(readings, badness, rules, look_back)
    return WindowAssessment(tuple(signals), badness, readings)


def _follow_runs(readings: Readings, badness: Floats, rules: Rules, look_back: int) -> None:
    """Looks back for those who decline, together: a chunk's handful alone is all overhead."""
    declining = np.flatnonzero(readings.since_nudge >= 0)
    for start in range(0, len(declining), CHUNK_PEOPLE):
        who = declining[start : start + CHUNK_PEOPLE]
        found = read_window(badness[who], rules, look_back=look_back)
        readings.since_nudge[who] = found.since_nudge
        readings.since_flag[who] = found.since_flag


def _joined(parts: Sequence[Readings]) -> Readings:
    signals = [part.signals for part in parts]
    per_signal = {
        field.name: np.concatenate([getattr(part, field.name) for part in signals])
        for field in fields(SignalReadings)
    }
    per_person = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(Readings)
        if field.name != "signals"
    }
    return Readings(**per_person, signals=SignalReadings(**per_signal))
