from __future__ import annotations

import numpy as np
import pytest

from backend.tracking.trends.calibration import alerts_per_month, fit_limit, thin


def test_at_most_one_alert_in_seven_days():
    above = np.zeros((1, 20), dtype=bool)
    above[0, [2, 3, 8, 9, 17]] = True
    assert np.flatnonzero(thin(above)[0]).tolist() == [2, 9, 17]


def test_a_month_is_thirty_live_counted_days():
    score = np.full((2, 30), np.nan)
    score[0] = 0.0
    score[0, 4] = 5.0
    counted = np.ones(score.shape, dtype=bool)
    assert alerts_per_month(score, 1.0, counted=counted) == 1.0
    counted[0, 15:] = False
    assert alerts_per_month(score, 1.0, counted=counted) == 2.0
    counted[0, 4] = False
    assert alerts_per_month(score, 1.0, counted=counted) == 0.0


@pytest.mark.parametrize("target", [0.25, 0.5, 1.0])
def test_the_fitted_limit_gives_the_load_and_no_more(target):
    score = np.random.default_rng(1).normal(size=(500, 60))
    counted = np.ones(score.shape, dtype=bool)
    limit = fit_limit(score, target, counted=counted)
    realised = alerts_per_month(score, limit, counted=counted)
    assert target * 0.97 <= realised <= target
    assert alerts_per_month(score, limit - 0.05, counted=counted) > target
