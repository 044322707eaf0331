"""The real ratings: means over seeds, with an interval that redraws the persons."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backend.tracking.trends.calibration import MONTH_DAYS, thin
from backend.tracking.trends.evaluation import evaluate

from .jang import POPULATION_SD, SCALE, Diaries, run
from .protocol import Outcomes
from .scenarios import LOADS, SCENARIOS, Figures, load_key, summary
from .scorers import Scorer

SEEDS = tuple(range(6))
DRAWS = 1000
BOOTSTRAP_SEED = 2024


def report(diaries: Diaries, scorer: Scorer) -> dict[str, dict[str, Figures]]:
    """Scenario > load > figures."""
    return {
        name: {
            load_key(load): _figures(
                diaries, [run(diaries, scorer, scenario, load=load, seed=seed) for seed in SEEDS]
            )
            for load in LOADS
        }
        for name, scenario in SCENARIOS.items()
    }


def shipped_load(diaries: Diaries) -> Figures:
    """Alerts a month of the limits that ship, nothing injected and nothing fitted here."""
    loads = {}
    for load in LOADS:
        judged = evaluate(
            diaries.values, alerts_per_month=load, scale=SCALE, population_sd=POPULATION_SD
        )
        live = (~np.isnan(judged.score)).sum()
        alerts = thin(judged.score > judged.limit).sum()
        loads[load_key(load)] = round(float(alerts * MONTH_DAYS / live), 4)
    return loads


def _figures(diaries: Diaries, runs: Sequence[Outcomes]) -> Figures:
    figures = summary([each.result() for each in runs])
    rng = np.random.default_rng(BOOTSTRAP_SEED)
    persons = np.unique(diaries.person)
    together = Outcomes.joined(runs)
    whose = diaries.person[together.row]
    draws = []
    for _ in range(DRAWS):
        often = np.bincount(rng.choice(persons, len(persons)), minlength=persons.max() + 1)
        found = ~np.isnan(together.delay)
        weight = often[whose]
        draws.append(float((weight * found).sum() / max(weight.sum(), 1)))
    low, high = np.percentile(draws, [2.5, 97.5])
    return figures | {
        "sensitivity_low": round(float(low), 4),
        "sensitivity_high": round(float(high), 4),
    }
