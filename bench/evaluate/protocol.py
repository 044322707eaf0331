"""How a detector is judged: alerts thinned to one in 7 days, limits fitted on other people.

Detected means a new alert within 21 days of the onset. The false alert rate (FAR) counts alerts per
30 live patient-days on which nothing was injected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from backend.tracking.simulation import NEVER
from backend.tracking.trends.arrays import Bools, Floats, Ints
from backend.tracking.trends.calibration import MONTH_DAYS, alerts_per_month, thin
from backend.tracking.trends.calibration import fit_limit as fit

DETECTION_DAYS = 21


@dataclass(frozen=True, slots=True)
class Result:
    """Sensitivity, alerts a month without cause, days from onset to the alert among the found."""

    sensitivity: float
    realised_far: float
    delay_median: float
    delay_p90: float


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Per row (a person or a window): `delay` in days, NaN if missed, for the rows `declined`;
    `alerts` and `days` counted while nothing was injected. `row` says which rows these are.
    """

    row: Ints
    declined: Bools
    delay: Floats
    alerts: Ints
    days: Ints

    @staticmethod
    def joined(parts: Sequence[Outcomes]) -> Outcomes:
        """One after the other."""
        names = ("row", "declined", "delay", "alerts", "days")
        return Outcomes(
            *(np.concatenate([getattr(part, name) for part in parts]) for name in names)
        )

    def with_load_of(self, other: Outcomes) -> Outcomes:
        """The same detections, with the alerts and days of untouched copies of the rows."""
        return replace(self, alerts=other.alerts, days=other.days)

    def result(self, weight: Floats | None = None) -> Result:
        """Summary; `weight` counts each row so often (a bootstrap draw)."""
        weights = np.ones(len(self.row)) if weight is None else weight
        delay, often = self.delay[self.declined], weights[self.declined].astype(int)
        drawn = np.repeat(delay, often)
        found = drawn[~np.isnan(drawn)]
        median, p90 = np.percentile(found, [50, 90]) if len(found) else (np.nan, np.nan)
        days = max(float((self.days * weights).sum()), 1.0)
        far = float((self.alerts * weights).sum()) * MONTH_DAYS / days
        return Result(len(found) / max(len(drawn), 1), far, float(median), float(p90))


def quiet_days(score: Floats, onset: Ints) -> Bools:
    """The days before the onset; all of them for those without one."""
    return np.arange(score.shape[1])[None, :] < onset[:, None]


def alerts_on_quiet_days(score: Floats, onset: Ints, limit: Floats | float) -> float:
    """Realised alerts per 30 live patient-days on which nothing was injected."""
    return alerts_per_month(score, limit, counted=quiet_days(score, onset))


def fit_limit(score: Floats, onset: Ints, load: float) -> float:
    """The limit that gives `load` alerts a month on days when nothing was injected."""
    return fit(score, load, counted=quiet_days(score, onset))


def outcomes(
    score: Floats, onset: Ints, limit: Floats | float, row: Ints | None = None
) -> Outcomes:
    """What the limit would have done for each row."""
    alerts = thin(score > limit)
    quiet = quiet_days(score, onset)
    since = np.arange(score.shape[1])[None, :] - onset[:, None]
    within = alerts & (since >= 0) & (since <= DETECTION_DAYS)
    found = within.any(axis=1)
    delay = np.where(found, within.argmax(axis=1) - onset, np.nan)
    return Outcomes(
        np.arange(len(score)) if row is None else row,
        onset < NEVER,
        delay,
        (alerts & quiet).sum(axis=1),
        (quiet & ~np.isnan(score)).sum(axis=1),
    )


def judge(score: Floats, onset: Ints, limit: Floats | float) -> Result:
    """Summary over all rows."""
    return outcomes(score, onset, limit).result()


def halves(score: Floats, onset: Ints, load: float) -> Outcomes:
    """Limits fitted on the first half of the rows and tested on the second, and the reverse."""
    middle = len(score) // 2
    first, second = np.arange(middle), np.arange(middle, len(score))
    parts = []
    for fitted, tested in ((first, second), (second, first)):
        limit = fit_limit(score[fitted], onset[fitted], load)
        parts.append(outcomes(score[tested], onset[tested], limit, tested))
    return Outcomes.joined(parts)
