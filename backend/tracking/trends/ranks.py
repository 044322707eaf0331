"""How unusual a day is for this person, by its rank among their own recent days.

Ratings are whole points with spikes, and many people answer the best value on most days. A distance
in SDs takes a spike for a decline and overlooks that the good days have gone; a rank does neither.
Each value becomes a Wilcoxon score: sqrt(12) x (share of the person's baseline days below it, ties
counting half, less a half), from -1.73 to 1.73 and of unit variance where nothing changes. A
baseline is short, so that the share is shrunk towards a logistic distribution with the person's own
mean and SD.
"""

from __future__ import annotations

import numpy as np

from .arrays import Floats, Ints
from .baseline import Baseline, baseline_days
from .signals import WORST

# Values are binned to half points of badness.
BINS_A_POINT = 2
BINS = int(WORST * BINS_A_POINT) + 1
SHRINKAGE_VALUES = 10
UNIT = float(np.sqrt(12))
# The logistic distribution nearest to the normal (Bowling et al. 2009), per SD.
LOGISTIC = 1.702
# A wholly shifted person would be infinitely many SDs away.
LARGEST_SHARE = 0.98
LARGEST_EXPONENT = 50.0

_POINTS = np.arange(BINS)[:, None] / BINS_A_POINT


def rank_scores(window: Floats, base: Baseline) -> Floats:
    """Scores of every day of `window` (days x people x signals of badness, NaN missing).

    NaN where there is no value; of no use where `base` has none.
    """
    days = window.reshape(len(window), -1)
    series = days.shape[1]
    missing = np.isnan(days)
    bins = days * BINS_A_POINT
    np.rint(bins, out=bins)
    np.clip(bins, 0, BINS - 1, out=bins)
    bins *= series
    bins += np.arange(series)
    bins[missing] = BINS * series  # a place of its own, behind the table
    place = bins.astype(np.int64)
    scores: Floats = _table(place, base).take(place).reshape(window.shape)
    return scores


def in_sds(scores: Floats) -> Floats:
    """The shift in SDs that moves the mean score of a normal variable this far from 0."""
    share = np.clip(0.5 + scores / UNIT, 1 - LARGEST_SHARE, LARGEST_SHARE)
    result: Floats = np.sqrt(2) / LOGISTIC * np.log(share / (1 - share))
    return result


def _table(place: Ints, base: Baseline) -> Floats:
    """The score of each bin for each series, bins x series in one row, and NaN at the end."""
    series = place.shape[1]
    counts = np.bincount(baseline_days(place).ravel(), minlength=BINS * series + 1)
    counts = counts[:-1].reshape(BINS, series)
    table = np.full(BINS * series + 1, np.nan)
    share = table[:-1].reshape(BINS, series)
    mean, steepness = np.nan_to_num(base.mean).ravel(), LOGISTIC / base.sd.ravel()
    np.multiply(steepness, mean - _POINTS, out=share)
    np.exp(np.minimum(share, LARGEST_EXPONENT), out=share)
    share += 1
    np.divide(SHRINKAGE_VALUES, share, out=share)
    share += np.cumsum(counts, axis=0) - counts / 2
    share *= UNIT / (base.count.ravel() + SHRINKAGE_VALUES)
    share -= UNIT / 2
    return table
