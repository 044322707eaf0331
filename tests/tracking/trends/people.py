"""Made-up people for the tests of trends."""

from __future__ import annotations

import numpy as np

from backend.tracking.trends.arrays import Floats


def steady(people: int, days: int = 90, *, signals: int = 1, seed: int = 0) -> Floats:
    """Whole-number ratings around 4, with a fifth of the days missing."""
    rng = np.random.default_rng(seed)
    values = np.clip(np.rint(rng.normal(4, 1.2, (people, days, signals))), 0, 10)
    values[rng.uniform(size=(people, days)) < 0.2] = np.nan
    return values


def declining(people: int, days: int = 90, *, signals: int = 1, seed: int = 0) -> Floats:
    """The same people, worse by up to 2 SD over the last fortnight, never beyond 7."""
    ramp = np.clip((np.arange(days) - (days - 15)) / 14, 0, 1)
    worse = steady(people, days, signals=signals, seed=seed) + 2.4 * ramp[None, :, None]
    return np.clip(np.rint(worse), 0, 7)
