"""How much one day resembles the day before, for each person.

Someone whose good and bad days come in stretches wanders further from the mean than someone whose
days are independent; taking both alike would alert mostly about the first. One person's estimate
from six weeks is rough, so it is pooled over their signals and shrunk to the usual 0.35.
"""

from __future__ import annotations

import numpy as np

from .arrays import Floats
from .baseline import Baseline, baseline_days

USUAL = 0.35
SHRINKAGE_PAIRS = 100
HIGHEST = 0.85
# Pairs of different signals on the same days repeat each other, so they count for less.
SIGNAL_OVERLAP = 0.6


def autocorrelation(window: Floats, base: Baseline) -> Floats:
    """Lag-one autocorrelation of each person; `window` is days x people x signals."""
    deviation = (baseline_days(window) - base.mean) / base.sd
    seen = ~np.isnan(deviation)
    deviation = np.where(seen, deviation, 0.0)
    pair = seen[1:] & seen[:-1]
    product = np.where(pair, deviation[1:] * deviation[:-1], 0.0).sum(axis=(0, 2))
    square = np.where(pair, deviation[1:] ** 2 + deviation[:-1] ** 2, 0.0).sum(axis=(0, 2)) / 2
    pairs = pair.sum(axis=(0, 2))
    signals = window.shape[2]
    own = np.divide(product, square, out=np.full(len(square), USUAL), where=square > 1e-9)
    # The mean is estimated from the same days, which biases the estimate downwards.
    own += (1 + 3 * own) / np.maximum(pairs / signals, 5)
    weight = pairs * (1.0 if signals == 1 else SIGNAL_OVERLAP)
    shrunk = (weight * own + SHRINKAGE_PAIRS * USUAL) / (weight + SHRINKAGE_PAIRS)
    result: Floats = np.clip(shrunk, 0.0, HIGHEST)
    return result
