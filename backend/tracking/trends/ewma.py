"""Exponentially weighted moving average (Roberts 1959), judged against the person's baseline.

This is the smoothed line people see, and the textbook detector the others are compared with.
"""

from __future__ import annotations

import numpy as np

from .arrays import Floats
from .baseline import Baseline

WEIGHT = 0.2
USUAL_AUTOCORRELATION = 0.3


def held_average(state: Floats, today: Floats) -> Floats:
    """One day's step: the state moves by a fifth towards the value; a missing day holds it."""
    moved = np.where(np.isnan(state), today, WEIGHT * today + (1 - WEIGHT) * state)
    return np.where(np.isnan(today), state, moved)


def ewma(window: Floats) -> Floats:
    """Smoothed value on the last day of a window (days first); NaN before any value."""
    state: Floats = window[0].astype(float)
    for today in window[1:]:
        state = held_average(state, today)
    return state


def ewma_score(smoothed: Floats, base: Baseline) -> Floats:
    """Distance of the smoothed value from the baseline mean, in its own standard errors.

    The variance allows for autocorrelated days and for a mean known from `count` values only. NaN
    where the baseline is not known.
    """
    phi, keep = USUAL_AUTOCORRELATION, 1 - WEIGHT
    moving = WEIGHT / (2 - WEIGHT) * (1 + phi * keep) / (1 - phi * keep)
    fixed = (1 + phi) / (1 - phi) / np.maximum(base.count, 1)
    score = (smoothed - base.mean) / (base.sd * np.sqrt(moving + fixed))
    return np.where(base.known, score, np.nan)
