from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.tracking.trends.baseline import baseline
from backend.tracking.trends.ranks import LOGISTIC, SHRINKAGE_VALUES, in_sds, rank_scores


def scored(window: np.ndarray) -> np.ndarray:
    return rank_scores(window, baseline(window, population_sd=1.25))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_agrees_with_counting_by_hand(seed):
    rng = np.random.default_rng(seed)
    window = np.rint(rng.normal(4, 1.5, (60, 2, 3))).clip(0, 10)
    window[rng.uniform(size=window.shape) < 0.3] = np.nan
    found, base = scored(window), baseline(window, population_sd=1.25)
    past = window[10:52, 1, 2]
    for day in (0, 30, 59):
        value = window[day, 1, 2]
        if np.isnan(value):
            assert np.isnan(found[day, 1, 2])
            continue
        below = np.sum(past < value) + np.sum(past == value) / 2
        expected = 1 / (1 + np.exp(-LOGISTIC * (value - base.mean[1, 2]) / base.sd[1, 2]))
        share = (below + SHRINKAGE_VALUES * expected) / (base.count[1, 2] + SHRINKAGE_VALUES)
        assert found[day, 1, 2] == pytest.approx(np.sqrt(12) * (share - 0.5))


def test_good_days_that_stay_away_tell_and_one_spike_hardly():
    window = np.zeros((70, 1, 2))
    window[::3] = 4.0
    window[-6:, 0, 0] = 4.0
    window[-1, 0, 1] = 10.0
    steady, spike = scored(window)[-6:, 0].sum(axis=0)
    assert steady > 2 * spike
    assert np.abs(scored(window)).max() < np.sqrt(3)


def test_a_series_without_values_and_values_beyond_the_scale_are_borne():
    window = np.full((70, 1, 2), np.nan)
    window[:, 0, 1] = 5.0
    window[-1, 0, 1] = 14.0
    found = scored(window)
    assert np.isnan(found[:, 0, 0]).all()
    assert 1.0 < found[-1, 0, 1] < np.sqrt(3)


def test_a_shift_is_told_in_sds():
    rng = np.random.default_rng(3)
    window = rng.normal(5, 1, (70, 500, 1))
    window[-7:] += 1.0
    fresh = scored(window)[-7:].mean()
    assert in_sds(np.array([fresh]))[0] == pytest.approx(1.0, abs=0.12)
    assert np.isfinite(in_sds(np.array([-5.0, 5.0]))).all()
