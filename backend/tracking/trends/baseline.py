"""The person's own recent normal: 42 days, ending a week before the day being judged.

The week's guard keeps a decline from feeding the baseline it is compared with. A person's own
variance is shrunk towards the population's, because a quarter of real people answer so evenly that
their own spread alone would make any change look enormous.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from .arrays import Bools, Floats, Ints

Days = TypeVar("Days", Floats, Ints)

FIRST_DAYS_AGO = 49
GUARD_DAYS = 7
LEAST_VALUES = 10
SHRINKAGE_VALUES = 7
# Half a point on a scale of 0 to 10, where the usual SD is 1.25.
SD_FLOOR = 0.4


@dataclass(frozen=True, slots=True)
class Baseline:
    """Mean, SD and number of values, each shaped like one day of the window."""

    mean: Floats
    sd: Floats
    count: Ints

    @property
    def known(self) -> Bools:
        """Whether there are enough values to compare with at all."""
        return self.count >= LEAST_VALUES


def baseline_days(window: Days) -> Days:
    """The rows [t-49, t-7) of a window whose last row is day t."""
    today = len(window) - 1
    return window[max(0, today - FIRST_DAYS_AGO) : max(0, today - GUARD_DAYS)]


def baseline(
    window: Floats, *, population_sd: Floats | float, sd_floor: Floats | float | None = None
) -> Baseline:
    """Baseline of each series of `window` (days first, NaN missing), as of its last day.

    The SD is that of ((n-1) own variance + 7 population variance) / (n-1+7), never below `sd_floor`
    (0.4 population SDs if not given). The mean is NaN where there is no value at all.
    """
    floor = SD_FLOOR * np.asarray(population_sd) if sd_floor is None else sd_floor
    days = baseline_days(window)
    seen = ~np.isnan(days)
    count = seen.sum(axis=0)
    total = np.where(seen, days, 0.0).sum(axis=0)
    mean = np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)
    squares = np.where(seen, days - mean, 0.0)
    squares *= squares
    weight = np.maximum(count - 1, 0) + SHRINKAGE_VALUES
    variance = (squares.sum(axis=0) + SHRINKAGE_VALUES * np.square(population_sd)) / weight
    return Baseline(mean, np.maximum(np.sqrt(variance), floor), count)
