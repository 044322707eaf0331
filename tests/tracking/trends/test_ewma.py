from __future__ import annotations

import numpy as np
import pytest

from backend.tracking.trends.baseline import Baseline
from backend.tracking.trends.ewma import ewma, ewma_score


def test_each_value_moves_the_state_by_a_fifth():
    assert ewma(np.array([[4.0], [9.0], [4.0]]))[0] == pytest.approx(0.8 * 5.0 + 0.2 * 4.0)


def test_a_missing_day_holds_the_state():
    assert ewma(np.array([[4.0], [np.nan], [9.0], [np.nan]]))[0] == pytest.approx(5.0)


def test_it_starts_at_the_first_value():
    assert ewma(np.array([[np.nan], [7.0]]))[0] == 7.0


def test_score_is_in_standard_errors_of_the_average():
    base = Baseline(np.array([4.0]), np.array([1.0]), np.array([40]))
    moving = 0.2 / 1.8 * (1 + 0.3 * 0.8) / (1 - 0.3 * 0.8)
    fixed = 1.3 / 0.7 / 40
    expected = 1.0 / np.sqrt(moving + fixed)
    assert ewma_score(np.array([5.0]), base)[0] == pytest.approx(expected)


def test_a_thin_baseline_has_no_score():
    base = Baseline(np.array([4.0]), np.array([1.0]), np.array([9]))
    assert np.isnan(ewma_score(np.array([5.0]), base)[0])
