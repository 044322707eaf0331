"""Mann-Kendall test for a steady direction over three weeks, with the Theil-Sen slope.

Mann 1945, Kendall 1975 (variance corrected for ties); Sen 1968. Both read order and not size, so a
single extreme day hardly moves them.
"""

from __future__ import annotations

import numpy as np

from .arrays import Floats, Ints

WINDOW_DAYS = 21
LEAST_VALUES = 9
DAYS_A_WEEK = 7


def mann_kendall(window: Floats) -> Floats:
    """Normal score of the trend over the last 21 days (days first); above 0 is getting larger.

    NaN with fewer than 9 values; 0 where all values are equal.
    """
    days = window[-WINDOW_DAYS:]
    seen = ~np.isnan(days)
    count = seen.sum(axis=0)
    statistic = np.zeros(days.shape[1:])
    for row in range(1, len(days)):
        statistic += np.nan_to_num(np.sign(days[row] - days[:row])).sum(axis=0)
    variance = (_size_term(count) - _ties(days)) / 18
    enough = (count >= LEAST_VALUES) & (variance > 0)
    continuous = statistic - np.sign(statistic)
    score = np.divide(
        continuous, np.sqrt(np.maximum(variance, 1e-9)), out=np.zeros(statistic.shape), where=enough
    )
    return np.where(count >= LEAST_VALUES, score, np.nan)


def theil_sen(window: Floats) -> Floats:
    """Median slope over the last 21 days in points a week; NaN with fewer than 9 values."""
    days = window[-WINDOW_DAYS:]
    if len(days) < LEAST_VALUES:
        return np.full(days.shape[1:], np.nan)
    first, second = np.triu_indices(len(days), k=1)
    gap = (second - first).reshape(-1, *[1] * (days.ndim - 1))
    slopes = np.sort((days[second] - days[first]) / gap, axis=0)  # NaN sorts to the end
    known = (~np.isnan(slopes)).sum(axis=0)[None]
    low = np.take_along_axis(slopes, np.maximum(known - 1, 0) // 2, axis=0)[0]
    high = np.take_along_axis(slopes, np.minimum(known // 2, len(slopes) - 1), axis=0)[0]
    enough = (~np.isnan(days)).sum(axis=0) >= LEAST_VALUES
    return np.where(enough, (low + high) / 2 * DAYS_A_WEEK, np.nan)


def _size_term(count: Ints) -> Ints:
    return count * (count - 1) * (2 * count + 5)


def _ties(days: Floats) -> Floats:
    """Sum of t(t-1)(2t+5) over groups of equal values, counted once through each member."""
    total = np.zeros(days.shape[1:])
    for row in days:
        size = (days == row).sum(axis=0)
        total += np.where(size > 0, (size - 1) * (2 * size + 5), 0)
    return total
