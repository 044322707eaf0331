"""Declines injected into real ratings: the evening diaries of psychiatric out-patients.

Jang et al. 2024 (CC BY 4.0). Badness is the day's mood turned round. A row whose mood and behaviour
items are all 0 is a day that was not reported. The set is small: it is reported, with an interval
over persons, and nothing was chosen by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.tracking.simulation import MISSING_PER_SD, NEVER, Scenario, course
from backend.tracking.trends.arrays import Bools, Floats, Ints

from .protocol import Outcomes, fit_limit, outcomes
from .scorers import Scorer
from .tables import rows

FILE = Path("jang2024") / "jang_ts.tsv.gz"
ITEMS = (
    *("alcohol", "coffee", "smoking", "exercise", "panic", "anxiety", "annoying"),
    *("positive_feeling", "negative_feeling", "positive_energy", "negative_energy"),
)
WINDOW_DAYS, STEP_DAYS, LEAST_VALUES = 76, 38, 38
SCALE = (-3.0, 3.0)
POPULATION_SD = 0.9
LEAST_SD = 0.6
ONSETS = (28, 53)


@dataclass(frozen=True, slots=True)
class Diaries:
    """Windows x days of badness, and whose each window is."""

    values: Floats
    person: Ints


def read(data: Path) -> Diaries:
    """All windows of 76 days, stepping by 38, with at least 38 values."""
    windows: list[Floats] = []
    person: list[int] = []
    for number, series in enumerate(_series(data / FILE).values()):
        for start in range(0, len(series) - WINDOW_DAYS + 1, STEP_DAYS):
            window = series[start : start + WINDOW_DAYS]
            if (~np.isnan(window)).sum() >= LEAST_VALUES:
                windows.append(window)
                person.append(number)
    return Diaries(np.array(windows), np.array(person))


def _series(path: Path) -> dict[str, Floats]:
    by_person: dict[str, dict[int, float]] = {}
    for row in rows(path):
        days = by_person.setdefault(row["id"], {})
        reported = any(float(row[item] or 0) != 0 for item in ITEMS)
        mood = float(row["positive_feeling"]) + float(row["negative_feeling"])
        days[int(float(row["day"])) - 1] = -mood if reported else np.nan
    series = {}
    for name, days in by_person.items():
        values = np.full(max(days) + 1, np.nan)
        values[list(days)] = list(days.values())
        series[name] = values
    return series


def injected(diaries: Diaries, scenario: Scenario, rng: np.random.Generator) -> tuple[Floats, Ints]:
    """The same windows with a decline injected, and the day on which each one began."""
    people, days = diaries.values.shape
    onset = np.asarray(rng.integers(ONSETS[0], ONSETS[1] + 1, people))
    sd = np.maximum(np.nanstd(diaries.values, axis=1, ddof=1), LEAST_SD)
    decline = scenario.size * course(onset, days, step=scenario.step)
    values = np.clip(np.rint(diaries.values + sd[:, None] * decline), *SCALE)
    if scenario.growing_missingness:
        values[rng.uniform(size=values.shape) < MISSING_PER_SD * decline] = np.nan
    return values, onset


def run(
    diaries: Diaries, scorer: Scorer, scenario: Scenario, *, load: float, seed: int
) -> Outcomes:
    """Limits fitted on one half of the people, tested on the other, each in turn."""
    rng = np.random.default_rng(seed)
    values, onset = injected(diaries, scenario, rng)
    clean = scorer(diaries.values[:, :, None], SCALE, POPULATION_SD)
    declined = scorer(values[:, :, None], SCALE, POPULATION_SD)
    never = np.full(len(clean), NEVER)
    order = rng.permutation(np.unique(diaries.person))
    first = np.isin(diaries.person, order[: len(order) // 2])
    parts = []
    for fit, test in ((first, ~first), (~first, first)):
        limit = fit_limit(clean[fit], never[fit], load)
        parts.append(_tested(clean, declined, onset, limit, test))
    return Outcomes.joined(parts)


def _tested(clean: Floats, declined: Floats, onset: Ints, limit: float, test: Bools) -> Outcomes:
    who = np.flatnonzero(test)
    quiet = outcomes(clean[who], np.full(len(who), NEVER), limit, who)
    return outcomes(declined[who], onset[who], limit, who).with_load_of(quiet)
