from __future__ import annotations

import numpy as np
import pytest

from backend.tracking.trends.baseline import baseline


def window(values: list[float]) -> np.ndarray:
    return np.array(values, dtype=float)[:, None]


def test_covers_the_42_days_that_end_a_week_before_today():
    days = np.full(60, 9.0)
    days[59 - 49 : 59 - 7] = 3.0
    found = baseline(window(list(days)), population_sd=1.25)
    assert found.mean[0] == 3.0
    assert found.count[0] == 42


def test_the_last_week_never_changes_it():
    calm = np.full(60, 3.0)
    worse = calm.copy()
    worse[59 - 7 :] = 10.0
    assert baseline(window(list(worse)), population_sd=1.25).mean[0] == 3.0


def test_the_day_before_the_guard_does_change_it():
    days = np.full(60, 3.0)
    days[59 - 8] = 10.0
    assert baseline(window(list(days)), population_sd=1.25).mean[0] > 3.0


def test_variance_is_shrunk_towards_the_population():
    days = [2.0, 4.0] * 21 + [3.0] * 8
    own = 42 / 41
    expected = np.sqrt((41 * own + 7 * 1.25**2) / 48)
    assert baseline(window(days), population_sd=1.25).sd[0] == pytest.approx(expected)


def test_someone_who_always_answers_alike_keeps_a_spread():
    found = baseline(window([5.0] * 60), population_sd=1.25)
    assert found.sd[0] == pytest.approx(0.5, abs=0.02)
    assert found.sd[0] >= 0.5


def test_ten_values_are_enough_and_nine_are_not():
    for count, known in ((9, False), (10, True)):
        days = np.full(60, np.nan)
        days[59 - 49 : 59 - 49 + count] = 4.0
        assert baseline(window(list(days)), population_sd=1.25).known[0] == known


def test_without_any_value_there_is_no_mean_and_no_warning():
    found = baseline(window([np.nan] * 60), population_sd=1.25)
    assert np.isnan(found.mean[0])
    assert not found.known[0]
