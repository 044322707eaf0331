"""The simulated cohort: limits fitted on one half of the people, tested on the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from backend.tracking.simulation import Cohort, simulate
from backend.tracking.trends.absence import absence
from backend.tracking.trends.arrays import Bools, Floats
from backend.tracking.trends.evaluation import POINTS, USUAL_SD
from backend.tracking.trends.limits import shipped_limits
from backend.tracking.trends.signals import SIGNALS

from .protocol import DETECTION_DAYS, alerts_on_quiet_days, fit_limit, halves, outcomes
from .scenarios import LOADS, SCENARIOS, Figures, load_key, summary
from .scorers import SCORERS, Scorer, fused

SCALE = (0.0, POINTS)
POPULATION_SD = POINTS * USUAL_SD
CURVE_LOADS = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
CURVE_LOAD = 0.5
ANSWERS = (("0 to 5", 0, 5), ("6 to 11", 6, 11), ("12 to 22", 12, 22))


def cohort(name: str, *, signals: int, people: int, seed: int) -> Cohort:
    """A scenario's people; the same seed gives the same people in every scenario."""
    scenario = replace(SCENARIOS[name], signals=signals)
    return simulate(scenario, people=people, rng=np.random.default_rng([seed, signals]))


def scored(scorer: Scorer, people: Cohort) -> Floats:
    """People x days."""
    return scorer(people.values, SCALE, POPULATION_SD)


def report(
    scorer: Scorer, *, signals: int, people: int, seeds: Sequence[int]
) -> dict[str, dict[str, Figures]]:
    """Scenario > load > figures."""
    found: dict[str, dict[str, Figures]] = {}
    for name in SCENARIOS:
        cohorts = [cohort(name, signals=signals, people=people, seed=seed) for seed in seeds]
        scores = [(scored(scorer, each), each.onset) for each in cohorts]
        found[name] = {
            load_key(load): summary([halves(*pair, load).result() for pair in scores])
            for load in LOADS
        }
    return found


def by_answers(*, signals: int, people: int, seed: int) -> dict[str, dict[str, Figures]]:
    """Share found by how many days were answered in the three weeks after the onset."""
    table: dict[str, dict[str, Figures]] = {}
    for name in ("2sd", "informative_missing"):
        drawn = cohort(name, signals=signals, people=people, seed=seed)
        found = halves(scored(fused, drawn), drawn.onset, CURVE_LOAD)
        since = np.arange(drawn.values.shape[1])[None, :] - drawn.onset[:, None]
        within = (since >= 0) & (since <= DETECTION_DAYS)
        answers = (within & ~np.isnan(drawn.values[:, :, 0])).sum(axis=1)[found.row]
        table[name] = {
            label: {
                "share_of_people": round(float((found.declined & among).sum() / declined), 4),
                "sensitivity": round(float((~np.isnan(found.delay[among])).mean()), 4),
            }
            for label, low, high in ANSWERS
            for declined in [found.declined.sum()]
            for among in [found.declined & (answers >= low) & (answers <= high)]
        }
    return table


def with_absence(*, signals: int, people: int, seed: int) -> dict[str, Figures]:
    """Trend and rule for absence side by side, sharing a load of 0.5 a month between them."""
    table: dict[str, Figures] = {}
    for name in ("2sd", "informative_missing"):
        drawn = cohort(name, signals=signals, people=people, seed=seed)
        score = scored(fused, drawn)
        silence = _absence_each_day(~np.isnan(drawn.values[:, :, 0]))
        by_absence = outcomes(silence, drawn.onset, 0.5)
        left = CURVE_LOAD - by_absence.result().realised_far
        by_trend = outcomes(score, drawn.onset, fit_limit(score, drawn.onset, left))
        either = ~np.isnan(by_trend.delay) | ~np.isnan(by_absence.delay)
        table[name] = {
            "trend": round(by_trend.result().sensitivity, 4),
            "absence": round(by_absence.result().sensitivity, 4),
            "either": round(float(either[by_trend.declined].mean()), 4),
            "trend_load": round(by_trend.result().realised_far, 4),
            "absence_load": round(by_absence.result().realised_far, 4),
        }
    return table


def _absence_each_day(answered: Bools) -> Floats:
    """1 where the rule flags, 0 where it does not, people x days."""
    days = range(1, answered.shape[1] + 1)
    return np.stack([absence(answered[:, :day]).flagged for day in days], axis=1).astype(float)


def calibration(*, people: int, seed: int) -> dict[str, dict[str, float]]:
    """Realised load of the limits that ship, on people they were not fitted on."""
    table: dict[str, dict[str, float]] = {}
    for signals in range(1, len(SIGNALS) + 1):
        held_out = cohort("2sd", signals=signals, people=people, seed=seed)
        score = scored(fused, held_out)
        live = np.where(np.isnan(score), 0, signals)
        table[f"{signals}_signals"] = {
            load_key(load): round(
                alerts_on_quiet_days(score, held_out.onset, shipped_limits().at(load, live)), 4
            )
            for load in LOADS
        }
    return table


def curves(*, signals: int, people: int, seed: int) -> Mapping[str, Any]:
    """For each detector: sensitivity by load, and the share found by days since the onset."""
    found: dict[str, Any] = {}
    for name in ("2sd", "1sd"):
        drawn = cohort(name, signals=signals, people=people, seed=seed)
        scores = {label: scored(scorer, drawn) for label, scorer in SCORERS.items()}
        found[name] = {label: _curve(score, drawn) for label, score in scores.items()}
    return {"loads": list(CURVE_LOADS), "scenarios": found}


def _curve(score: Floats, drawn: Cohort) -> dict[str, list[float]]:
    by_load = [halves(score, drawn.onset, load).result() for load in CURVE_LOADS]
    at_one = halves(score, drawn.onset, CURVE_LOAD)
    delay = at_one.delay[at_one.declined]
    found_by = [float((delay <= day).mean()) for day in range(DETECTION_DAYS + 1)]
    return {
        "sensitivity": [round(result.sensitivity, 4) for result in by_load],
        "delay_median": [result.delay_median for result in by_load],
        "found_by_day": [round(share, 4) for share in found_by],
    }
