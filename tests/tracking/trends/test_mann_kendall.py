from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.tracking.trends.mann_kendall import mann_kendall, theil_sen

ANSWERS = st.lists(st.one_of(st.none(), st.integers(0, 10)), min_size=21, max_size=21)


def column(values: Sequence[float | None]) -> np.ndarray:
    return np.array([np.nan if value is None else float(value) for value in values])[:, None]


def test_a_straight_rise_of_ten_days():
    # S = 45, variance 10 * 9 * 25 / 18 = 125, continuity 1.
    assert mann_kendall(column(list(range(10))))[0] == pytest.approx(44 / np.sqrt(125))


def test_ties_shrink_the_variance():
    # 1,1,2,2,...,5,5: S = 40; five pairs of ties, each 2 * 1 * 9 = 18.
    values = [float(n // 2) for n in range(10)]
    expected = 39 / np.sqrt((10 * 9 * 25 - 5 * 18) / 18)
    assert mann_kendall(column(values))[0] == pytest.approx(expected)


def test_only_the_last_three_weeks_count():
    values = [10.0 - n for n in range(10)] + [5.0] * 21
    assert mann_kendall(column(values))[0] == 0.0


def test_eight_values_are_too_few_for_either():
    values: list[float | None] = [float(n) for n in range(8)] + [None] * 13
    assert np.isnan(mann_kendall(column(values))[0])
    assert np.isnan(theil_sen(column(values))[0])


def test_slope_is_in_points_a_week():
    assert theil_sen(column([n / 7 for n in range(21)]))[0] == pytest.approx(1.0)


def test_one_extreme_day_hardly_moves_the_slope():
    values = [n / 7 for n in range(21)]
    values[10] = 100.0
    assert theil_sen(column(values))[0] == pytest.approx(1.0, abs=0.05)


@given(ANSWERS)
def test_both_agree_with_the_definition(values):
    seen = [(day, value) for day, value in enumerate(values) if value is not None]
    pairs = list(combinations(seen, 2))
    score, slope = mann_kendall(column(values))[0], theil_sen(column(values))[0]
    if len(seen) < 9:
        assert np.isnan(score)
        return
    statistic = sum(np.sign(b - a) for (_, a), (_, b) in pairs)
    assert np.sign(score) == np.sign(statistic if abs(statistic) > 1 else 0)
    assert slope == pytest.approx(7 * np.median([(b - a) / (j - i) for (i, a), (j, b) in pairs]))


@given(ANSWERS)
def test_turned_round_the_sign_turns(values):
    there = mann_kendall(column(values))[0]
    back = mann_kendall(column(values[::-1]))[0]
    assert np.isnan(there) == np.isnan(back)
    if not np.isnan(there):
        assert there == pytest.approx(-back)
