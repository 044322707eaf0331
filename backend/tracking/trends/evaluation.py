"""Score any history, every day as it was known that day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import Bools, Floats, Ints
from .baseline import GUARD_DAYS, LEAST_VALUES, SD_FLOOR
from .calibration import thin
from .fusion import Fitted, fit_window, worsening
from .limits import Limits, shipped_limits
from .onset import WINDOW_DAYS

POINTS = 10.0
# The usual within-person SD of a daily rating, as a share of the scale's range.
USUAL_SD = 0.125
# Answers are whole numbers of the scale given: less spread than half of one is rounding.
HALF_STEP = 0.5
DECIMALS = 9
CHUNK_PEOPLE = 8192


@dataclass(frozen=True, slots=True)
class Evaluation:
    """People x days: evidence of a decline (nats), the limit it is held against, and new alerts.

    `score` is NaN while the baseline is thin. `alert` marks the days on which something would be
    sent: above the limit, and none in the six days before.
    """

    score: Floats
    limit: Floats
    alert: Bools


def evaluate(
    values: Floats,
    *,
    alerts_per_month: float = 1.0,
    scale: tuple[float, float] = (0.0, POINTS),
    population_sd: float | None = None,
    limits: Limits | None = None,
) -> Evaluation:
    """Judge people x days, or people x days x signals; NaN is missing, larger is worse.

    `scale` gives the least and the greatest possible value; `population_sd` the usual
    within-person SD on that scale (an eighth of its range if not given); `alerts_per_month` the
    load wanted on patients whose state does not change. Day t depends on days up to t alone, and a
    day without any value holds the score of the day before. ValueError for a scale that is empty or
    an array of another shape.
    """
    low, high = scale
    if not high > low:
        raise ValueError("scale must be (least, greatest)")
    badness = (_with_signals(values) - low) * (POINTS / (high - low))
    sd = USUAL_SD * (high - low) if population_sd is None else population_sd
    floor = min(max(SD_FLOOR * sd, HALF_STEP), sd)
    per_unit = POINTS / (high - low)
    score, live = score_days(badness, population_sd=sd * per_unit, sd_floor=floor * per_unit)
    limit = (limits or shipped_limits()).at(alerts_per_month, live)
    return Evaluation(score, limit, thin(score > limit))


def score_days(
    badness: Floats, *, population_sd: Floats | float, sd_floor: Floats | float | None = None
) -> tuple[Floats, Ints]:
    """Score and number of live signals, people x days, of badness people x days x signals."""
    people, days, _ = badness.shape
    score, live = np.full((people, days), np.nan), np.zeros((people, days), dtype=np.int64)
    for start in range(0, people, CHUNK_PEOPLE):
        part = slice(start, start + CHUNK_PEOPLE)
        judged = _Judged(score[part], live[part], population_sd, sd_floor)
        judged.fill(np.ascontiguousarray(badness[part].transpose(1, 0, 2)))
    return score, live


@dataclass(frozen=True, slots=True)
class _Judged:
    """People x days to be filled in."""

    score: Floats
    live: Ints
    population_sd: Floats | float
    sd_floor: Floats | float | None

    def fill(self, by_day: Floats) -> None:
        """Each day from those up to it; who gave no value keeps the day before."""
        answered = np.any(~np.isnan(by_day), axis=2)
        for day in range(GUARD_DAYS + LEAST_VALUES, len(by_day)):
            self.score[:, day], self.live[:, day] = self.score[:, day - 1], self.live[:, day - 1]
            who = np.flatnonzero(answered[day])
            if len(who):
                window = by_day[max(0, day + 1 - WINDOW_DAYS) : day + 1, who]
                evidence = worsening(self._fitted(window))
                self.score[who, day] = evidence.fused.round(DECIMALS)
                self.live[who, day] = evidence.live

    def _fitted(self, window: Floats) -> Fitted:
        return fit_window(window, population_sd=self.population_sd, sd_floor=self.sd_floor)


def _with_signals(values: Floats) -> Floats:
    array = np.asarray(values, dtype=float)
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3:
        raise ValueError("values must be people x days or people x days x signals")
    return array
