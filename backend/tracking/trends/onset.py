"""Evidence that a decline began some time in the last three weeks.

For each possible first day, and for two shapes (a ramp over 14 days, a step), the window is fitted
by generalised least squares as: own level + size x shape + first-order autocorrelated noise. Days
without a value are skipped exactly, the resemblance to the last value fading with the gap. The fits
are weighed by their likelihood against "nothing changed", the size being half-normal a priori, and
averaged over first days and shapes (Chernoff and Zacks 1964; Lai 1995 review change detection).
The result is a log Bayes factor in nats: 0 says that the data do not tell.

Real people drift: a month ago things became a little better or worse, and stayed so. That is no
news, but it resembles one. So "nothing changed" shares its place with "changed long ago, either
way" (`OLD_WEIGHT`), which takes the evidence that it explains as well.

What is fitted are rank scores (ranks.py), so that one bad evening is not a decline; anything beyond
2 is pulled in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import Bools, Floats

WINDOW_DAYS = 70
RAMP_DAYS = 14
AGES = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 17, 20)
OLD_AGES = (26, 34, 44)
OLD_WEIGHT = 0.1
SHAPE_DAYS = OLD_AGES[-1]
SIZE_SD = 1.0
RAMP_WEIGHT = 0.9
LARGEST_DEVIATION = 2.0
# Values further apart than this are taken as independent.
LONGEST_GAP = 7


def _shapes() -> Floats:
    """Shapes x days: the expected rise on each of the last SHAPE_DAYS days. Ramps come first, then
    steps, then the old steps."""
    ago = np.arange(SHAPE_DAYS - 1, -1, -1)
    since = np.array(AGES)[:, None] - ago[None, :]
    old = np.array(OLD_AGES)[:, None] - ago[None, :]
    return np.concatenate([np.clip(since / RAMP_DAYS, 0, 1), since >= 1, old >= 1], dtype=float)


SHAPES = _shapes()
SHAPE_AGES = np.array(AGES * 2)
LOG_WEIGHTS = np.log(
    np.repeat([RAMP_WEIGHT / len(AGES), (1 - RAMP_WEIGHT) / len(AGES)], len(AGES))
)[:, None]


@dataclass(frozen=True, slots=True)
class Fits:
    """For each shape and series: `pull` towards a change, `precision` with which it is known.

    pull / precision is the fitted size in SDs, 1 / precision its variance.
    """

    pull: Floats
    precision: Floats

    def recent(self, sign: int) -> Fits:
        """Of the shapes that are news, those of SHAPE_AGES; -1 looks at them in a mirror."""
        recent = len(SHAPE_AGES)
        return Fits(sign * self.pull[:recent], self.precision[:recent])

    def old(self, sign: int) -> Fits:
        """Of the steps that are too old to be news."""
        recent = len(SHAPE_AGES)
        return Fits(sign * self.pull[recent:], self.precision[recent:])


def fit_shapes(deviation: Floats, phi: Floats) -> Fits:
    """Fit every shape to each column of `deviation` (days x series, in SDs, NaN missing)."""
    window = np.clip(deviation[-WINDOW_DAYS:], -LARGEST_DEVIATION, LARGEST_DEVIATION)
    noise = _whiten(window, phi)
    days = min(SHAPE_DAYS, len(window))
    shapes = SHAPES[:, SHAPE_DAYS - days :]
    with_data = shapes @ noise.data[-days:]
    with_level = shapes @ noise.level[-days:]
    own = np.square(shapes) @ noise.diagonal[-days:]
    for gap in range(1, min(LONGEST_GAP, days - 1) + 1):
        both = shapes[:, gap:] * shapes[:, :-gap]
        link = np.where(noise.gap[-days + gap :] == gap, noise.coupling[-days + gap :], 0.0)
        own -= 2 * both @ link
    share = with_level / np.maximum(noise.level_precision, 1e-9)
    pull = with_data - share * noise.level_pull
    return Fits(pull, np.maximum(own - share * with_level, 0.0))


def log_evidence(fits: Fits) -> Floats:
    """Log Bayes factor of each shape for a worsening of unknown size, against no change at all."""
    spread = 1 + fits.precision * SIZE_SD**2
    reach = fits.pull * (SIZE_SD / np.sqrt(spread))
    ratio: Floats = np.square(reach) / 2 - np.log(spread) / 2 + np.log(2) + _log_normal(reach)
    return ratio


def averaged(log_terms: Floats) -> Floats:
    """Log of the sum of exponentials over the first axis."""
    peak = log_terms.max(axis=0)
    total: Floats = peak + np.log(np.exp(log_terms - peak).sum(axis=0))
    return total


def _log_normal(x: Floats) -> Floats:
    """Log of the standard normal distribution function, within 0.005.

    Winitzki's (2008) formula for erf above -2, the asymptotic expansion below.
    """
    half = np.square(x) / 2
    a = 0.147
    erf = np.sqrt(1 - np.exp(-half * (4 / np.pi + a * half) / (1 + a * half)))
    centre = np.log(np.maximum((1 + np.sign(x) * erf) / 2, 1e-300))
    far = np.minimum(x, -2.0)
    tail = -np.square(far) / 2 - np.log(-far * np.sqrt(2 * np.pi)) + np.log1p(-1 / (far**2 + 2.5))
    result: Floats = np.where(x < -2, tail, centre)
    return result


@dataclass(frozen=True, slots=True)
class _Whitened:
    """Products with the inverse covariance of autocorrelated, gappy noise of unit variance."""

    data: Floats
    level: Floats
    diagonal: Floats
    coupling: Floats
    gap: Floats
    level_pull: Floats
    level_precision: Floats


def _whiten(window: Floats, phi: Floats) -> _Whitened:
    seen = ~np.isnan(window)
    values = np.where(seen, window, 0.0)
    rho, gap, surprise = _forward(values, seen, phi)
    weight = np.where(seen, 1 / (1 - np.square(rho)), 0.0)
    coupling = weight * rho
    data, level = weight * surprise, weight * (1 - rho)
    level_pull = (level * surprise).sum(axis=0)
    level_precision = (level * (1 - rho)).sum(axis=0)
    diagonal = weight.copy()
    following = np.zeros((3, *phi.shape))
    for day in range(len(window) - 1, -1, -1):
        here = seen[day]
        passed = np.stack([rho[day] * data[day], rho[day] * level[day], rho[day] * coupling[day]])
        data[day] -= np.where(here, following[0], 0.0)
        level[day] -= np.where(here, following[1], 0.0)
        diagonal[day] += np.where(here, following[2], 0.0)
        following = np.where(here, passed, following)
    return _Whitened(data, level, diagonal, coupling, gap, level_pull, level_precision)


def _forward(values: Floats, seen: Bools, phi: Floats) -> tuple[Floats, Floats, Floats]:
    """Correlation with the last value seen, days since it, and what it did not foretell."""
    powers = np.concatenate([phi[None] ** np.arange(1, LONGEST_GAP + 1)[:, None], 0 * phi[None]])
    columns = np.arange(len(phi))
    rho, gap, surprise = (np.zeros(values.shape) for _ in range(3))
    last, since = np.zeros(len(phi)), np.full(len(phi), LONGEST_GAP + 1)
    for day, today in enumerate(values):
        gap[day] = since
        rho[day] = powers[since - 1, columns]
        surprise[day] = today - rho[day] * last
        last = np.where(seen[day], today, last)
        since = np.where(seen[day], 1, np.minimum(since + 1, LONGEST_GAP + 1))
    return rho, gap, surprise
