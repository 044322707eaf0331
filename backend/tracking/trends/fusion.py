"""Several signals, one score: how likely it is that the person as a whole has begun to decline.

Either all signals moved together, or one of them did. Moving together is judged on the sum of their
fits, deflated because signals of one person move together anyway; the alternatives are then
averaged, each with its prior weight (Bayesian model averaging).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import Bools, Floats, Ints
from .autocorrelation import autocorrelation
from .baseline import Baseline, baseline
from .onset import (
    LOG_WEIGHTS,
    OLD_AGES,
    OLD_WEIGHT,
    SHAPE_AGES,
    Fits,
    averaged,
    fit_shapes,
    log_evidence,
)
from .ranks import in_sds, rank_scores

SIGNAL_CORRELATION = 0.4
TOGETHER_WEIGHT = 0.3


@dataclass(frozen=True, slots=True)
class Evidence:
    """Scores in nats as of the last day: `fused` per person, `own` people x signals.

    `live` is the number of signals with a known baseline; without any, the scores are NaN.
    `best_shape` is the likeliest shape: SHAPE_AGES says how many days ago it began.
    """

    fused: Floats
    own: Floats
    live: Ints
    best_shape: Ints


@dataclass(frozen=True, slots=True)
class Fitted:
    """A window's baseline and the fits of all shapes, shapes x people x signals."""

    base: Baseline
    fits: Fits

    @property
    def known(self) -> Bools:
        """People x signals with a baseline."""
        return self.base.known

    def size(self, shape: Ints) -> Floats:
        """People x signals: the fitted change of one shape a person, in SDs; 0 where unknown."""
        pull = np.take_along_axis(self.fits.pull, shape[None, :, None], axis=0)[0]
        precision = np.take_along_axis(self.fits.precision, shape[None, :, None], axis=0)[0]
        size = np.divide(pull, precision, out=np.zeros_like(pull), where=precision > 1e-9)
        return in_sds(size)


def fit_window(
    window: Floats, *, population_sd: Floats | float, sd_floor: Floats | float | None = None
) -> Fitted:
    """Baseline and fits of a window of badness, days x people x signals, as of its last day."""
    base = baseline(window, population_sd=population_sd, sd_floor=sd_floor)
    phi = autocorrelation(window, base)
    unusual = rank_scores(window, base)
    _, people, signals = window.shape
    flat = fit_shapes(unusual.reshape(len(window), -1), np.repeat(phi, signals))
    shape = (len(flat.pull), people, signals)
    pull, precision = flat.pull.reshape(shape), flat.precision.reshape(shape)
    pull = np.where(base.known, pull, 0.0)
    precision = np.where(base.known, precision, 0.0)
    return Fitted(base, Fits(pull, precision))


def worsening(fitted: Fitted) -> Evidence:
    """Evidence that things began to get worse."""
    return _weigh(fitted, sign=1)


def improving(fitted: Fitted) -> Evidence:
    """Evidence that things began to get better: the same, looked at in a mirror."""
    return _weigh(fitted, sign=-1)


def _weigh(fitted: Fitted, *, sign: int) -> Evidence:
    live = fitted.known.sum(axis=1)
    together, single = _evidence(fitted.fits.recent(sign), live)
    together, single = together + LOG_WEIGHTS, single + LOG_WEIGHTS[:, None]
    own = np.where(fitted.known, averaged(single), np.nan)
    alternatives = _alternatives(together, single, fitted.known, live)
    fused = np.where(live == 1, averaged(together), averaged(alternatives))
    fused -= _log_null(fitted, live)
    best_shape = alternatives.argmax(axis=0) % len(SHAPE_AGES)
    return Evidence(np.where(live > 0, fused, np.nan), own, live, best_shape)


def _log_null(fitted: Fitted, live: Ints) -> Floats:
    """What "nothing changed" and "changed long ago, either way" explain between them."""
    prior = -np.log(2 * len(OLD_AGES))
    ways = []
    for sign in (1, -1):
        together, single = _evidence(fitted.fits.old(sign), live)
        alternatives = _alternatives(together, single, fitted.known, live)
        ways.append(np.where(live == 1, averaged(together), averaged(alternatives)))
    old = averaged(np.stack(ways)) + prior
    result: Floats = np.logaddexp(np.log1p(-OLD_WEIGHT), np.log(OLD_WEIGHT) + old)
    return result


def _evidence(fits: Fits, live: Ints) -> tuple[Floats, Floats]:
    """Of each shape for all signals together, shapes x people, and for each, x signals."""
    shared = 1 + (np.maximum(live, 1) - 1) * SIGNAL_CORRELATION
    together = log_evidence(Fits(fits.pull.sum(2) / shared, fits.precision.sum(2) / shared))
    return together, log_evidence(fits)


def _alternatives(together: Floats, single: Floats, known: Bools, live: Ints) -> Floats:
    """All signals moved, or one of them: each with its prior weight, the shapes of each in turn."""
    weighted = np.where(known, single, -np.inf).transpose(2, 0, 1)
    signals, shapes, people = weighted.shape
    prior = np.log((1 - TOGETHER_WEIGHT) / np.maximum(live, 1))
    one = weighted.reshape(signals * shapes, people) + prior
    return np.concatenate([together + np.log(TOGETHER_WEIGHT), one])
