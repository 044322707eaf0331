from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.tracking.trends.onset import (
    LARGEST_DEVIATION,
    LOG_WEIGHTS,
    OLD_AGES,
    SHAPE_AGES,
    SHAPE_DAYS,
    SHAPES,
    SIZE_SD,
    Fits,
    averaged,
    fit_shapes,
    log_evidence,
)


def by_the_book(deviation: np.ndarray, phi: float) -> tuple[np.ndarray, np.ndarray]:
    """Generalised least squares with the full covariance matrix inverted."""
    seen = np.flatnonzero(~np.isnan(deviation))
    values = np.clip(deviation[seen], -LARGEST_DEVIATION, LARGEST_DEVIATION)
    inverse = np.linalg.inv(phi ** np.abs(seen[:, None] - seen[None, :]))
    early = np.zeros((len(SHAPES), len(deviation) - SHAPE_DAYS))
    shapes = np.concatenate([early, SHAPES], axis=1)[:, seen]
    level = inverse.sum(axis=0)
    share = shapes @ level / level.sum()
    pull = shapes @ inverse @ values - share * (level @ values)
    precision = ((shapes @ inverse) * shapes).sum(axis=1) - share * (shapes @ level)
    return pull, precision


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.0, 0.8), st.floats(0.0, 0.5))
def test_agrees_with_generalised_least_squares(seed, phi, missing):
    rng = np.random.default_rng(seed)
    deviation = rng.normal(0, 1.5, (50, 3))
    holes = rng.uniform(size=deviation.shape) < missing
    holes[::6] = False  # gaps of a week at most are followed exactly
    deviation[holes] = np.nan
    fits = fit_shapes(deviation, np.full(3, phi))
    for series in range(3):
        pull, precision = by_the_book(deviation[:, series], phi)
        np.testing.assert_allclose(fits.pull[:, series], pull, atol=1e-8)
        np.testing.assert_allclose(fits.precision[:, series], precision, atol=1e-8)


def test_a_clean_step_is_dated_to_its_first_day_and_sized():
    deviation = np.zeros((60, 1))
    deviation[-5:] = 2.0
    fits = fit_shapes(deviation, np.array([0.2])).recent(1)
    best = int((fits.pull**2 / fits.precision)[:, 0].argmax())
    assert SHAPE_AGES[best] == 5
    assert fits.pull[best, 0] / fits.precision[best, 0] == pytest.approx(2.0)


def recent_evidence(deviation: np.ndarray) -> float:
    fits = fit_shapes(deviation, np.array([0.3])).recent(1)
    return float(averaged(log_evidence(fits) + LOG_WEIGHTS)[0])


def test_nothing_changed_speaks_against_a_decline():
    assert recent_evidence(np.zeros((60, 1))) < 0


def test_getting_better_is_no_evidence_of_getting_worse():
    deviation = np.zeros((60, 1))
    deviation[-10:] = -2.0
    assert recent_evidence(deviation) < -0.5


def test_one_extreme_day_is_less_than_a_week_of_bad_ones():
    spike, week = np.zeros((60, 1)), np.zeros((60, 1))
    spike[-1] = 50.0
    week[-7:] = 2.0
    assert recent_evidence(spike) < recent_evidence(week)


@pytest.mark.parametrize("age", OLD_AGES)
@pytest.mark.parametrize("sign", [1, -1])
def test_an_old_step_is_known_for_one_whichever_way_it_went(age, sign):
    deviation = np.zeros((70, 1))
    deviation[-age:] = sign * 1.5
    old = log_evidence(fit_shapes(deviation, np.array([0.2])).old(sign))[:, 0]
    assert OLD_AGES[int(old.argmax())] == age
    assert old.max() > 5
    assert old.max() > recent_evidence(deviation)


@pytest.mark.parametrize("pull", [-30.0, -3.0, -2.001, -1.999, 0.0, 1.0, 8.0])
def test_evidence_is_the_integral_over_half_normal_sizes(pull):
    precision = 4.0
    sizes = np.linspace(0, 12, 200_001)
    prior = np.sqrt(2 / math.pi) / SIZE_SD * np.exp(-((sizes / SIZE_SD) ** 2) / 2)
    likelihood = np.exp(sizes * pull - sizes**2 * precision / 2)
    integral = np.log(np.trapezoid(prior * likelihood, sizes))
    fits = Fits(np.full((len(SHAPES), 1), pull), np.full((len(SHAPES), 1), precision))
    assert log_evidence(fits) == pytest.approx(integral, abs=0.01)
