"""The detectors that are compared: each turns values into a score for each day.

A scorer takes values (people x days x signals, NaN missing, larger is worse), the scale's ends and
the usual within-person SD on that scale, and returns people x days. Those of one signal are
averaged over the signals.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from backend.tracking.trends.arrays import Floats
from backend.tracking.trends.baseline import FIRST_DAYS_AGO, baseline
from backend.tracking.trends.evaluation import evaluate
from backend.tracking.trends.ewma import ewma_score, held_average
from backend.tracking.trends.mann_kendall import mann_kendall

Scorer = Callable[[Floats, tuple[float, float], float], Floats]

ROBUST_DAYS = 5
CUSUM_SLACK = 0.5


def fused(values: Floats, scale: tuple[float, float], population_sd: float) -> Floats:
    """Handrail's score."""
    return evaluate(values, scale=scale, population_sd=population_sd).score


def ewma(values: Floats, scale: tuple[float, float], population_sd: float) -> Floats:
    """EWMA in standard errors from the baseline."""
    state = np.full(values.shape[::2], np.nan)
    scores = []
    for day in range(values.shape[1]):
        state = held_average(state, values[:, day])
        base = baseline(_until(values, day), population_sd=population_sd)
        scores.append(ewma_score(state, base))
    return _averaged(scores)


def cusum(values: Floats, scale: tuple[float, float], population_sd: float) -> Floats:
    """One-sided CUSUM of deviations from the baseline, slack 0.5 SD (Page 1954)."""
    total = np.zeros(values.shape[::2])
    scores = []
    for day in range(values.shape[1]):
        base = baseline(_until(values, day), population_sd=population_sd)
        step = (values[:, day] - base.mean) / base.sd - CUSUM_SLACK
        total = np.where(np.isnan(step) | ~base.known, total, np.maximum(total + step, 0))
        scores.append(np.where(base.known, total, np.nan))
    return _averaged(scores)


def robust(values: Floats, scale: tuple[float, float], population_sd: float) -> Floats:
    """Mean of the last five days' values in SDs from the baseline, weighted by their number."""
    scores = []
    for day in range(values.shape[1]):
        base = baseline(_until(values, day), population_sd=population_sd)
        recent = values[:, max(0, day + 1 - ROBUST_DAYS) : day + 1]
        deviation = np.clip((recent - base.mean[:, None]) / base.sd[:, None], -3, 3)
        seen = (~np.isnan(deviation)).sum(axis=1)
        score = np.nansum(deviation, axis=1) / np.sqrt(np.maximum(seen, 1))
        scores.append(np.where(base.known, score, np.nan))
    return _averaged(scores)


def direction(values: Floats, scale: tuple[float, float], population_sd: float) -> Floats:
    """Mann-Kendall over three weeks."""
    return _averaged([mann_kendall(_until(values, day)) for day in range(values.shape[1])])


SCORERS: Mapping[str, Scorer] = {
    "handrail": fused,
    "ewma": ewma,
    "cusum": cusum,
    "five days": robust,
    "mann-kendall": direction,
}


def _until(values: Floats, day: int) -> Floats:
    """The window that ends with `day`, days first."""
    return values[:, max(0, day - FIRST_DAYS_AGO) : day + 1].transpose(1, 0, 2)


def _averaged(scores: list[Floats]) -> Floats:
    """Mean over the live signals, people x days."""
    stacked = np.stack(scores, axis=1)
    live = ~np.isnan(stacked)
    total = np.where(live, stacked, 0.0).sum(axis=2)
    count = live.sum(axis=2)
    mean: Floats = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return mean
