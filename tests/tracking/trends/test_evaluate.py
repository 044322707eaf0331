from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.tracking.trends import evaluate, fusion, shipped_limits

from .people import declining, steady


def same(first: np.ndarray, second: np.ndarray) -> None:
    np.testing.assert_allclose(first, second, atol=1e-8)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000), st.integers(20, 59), st.integers(1, 3))
def test_later_days_never_change_earlier_ones(seed, day, signals):
    values = steady(6, 60, signals=signals, seed=seed)
    changed = values.copy()
    changed[:, day + 1 :] = np.random.default_rng(seed).uniform(0, 10, changed[:, day + 1 :].shape)
    before, after = evaluate(values), evaluate(changed)
    same(before.score[:, : day + 1], after.score[:, : day + 1])
    np.testing.assert_array_equal(before.alert[:, : day + 1], after.alert[:, : day + 1])
    same(before.limit[:, : day + 1], after.limit[:, : day + 1])


def test_the_day_itself_does_change_it():
    values = steady(6, 60)
    values[:, 59] = 4.0
    changed = values.copy()
    changed[:, 59] = 10.0
    assert (evaluate(changed).score[:, 59] > evaluate(values).score[:, 59]).all()


def test_a_missing_day_holds_the_score_and_the_limit():
    values = declining(20)
    values[:, 70:75] = np.nan
    found = evaluate(values)
    for day in range(70, 75):
        np.testing.assert_array_equal(found.score[:, day], found.score[:, 69])
        np.testing.assert_array_equal(found.limit[:, day], found.limit[:, 69])


def test_people_do_not_influence_each_other():
    values = np.concatenate([steady(10, signals=2), declining(10, signals=2, seed=1)])
    order = np.random.default_rng(0).permutation(20)
    together, shuffled = evaluate(values), evaluate(values[order])
    same(together.score[order], shuffled.score)
    np.testing.assert_array_equal(together.alert[order], shuffled.alert)
    same(together.score[:1], evaluate(values[:1]).score)


def test_what_changed_long_ago_is_less_news_than_what_changed_last_week(monkeypatch):
    values = steady(40, 90)
    values[:, -32:] += 1.5
    known = evaluate(values).score
    monkeypatch.setattr(fusion, "OLD_WEIGHT", 1e-9)
    unknown = evaluate(values).score
    fresh, settled = slice(60, 66), slice(84, 90)
    assert np.nanmedian(unknown[:, settled] - known[:, settled]) > 0.5
    assert np.nanmedian(unknown[:, fresh] - known[:, fresh]) < 0.2


def test_two_dimensions_are_one_signal():
    values = declining(5)
    same(evaluate(values).score, evaluate(values[:, :, 0]).score)


def test_another_scale_gives_the_same_scores():
    values = declining(8)
    percent = evaluate(values * 10 - 50, scale=(-50, 50))
    same(evaluate(values).score, percent.score)


@pytest.mark.parametrize("constant", [0.0, 5.0, 10.0])
def test_people_who_always_answer_alike_are_quiet(constant):
    found = evaluate(np.full((3, 90), constant))
    assert np.isfinite(found.score[:, 20:]).all()
    assert not found.alert.any()


def test_one_point_more_on_one_day_does_not_alarm_about_someone_even():
    values = np.full((1, 90), 5.0)
    values[0, 89] = 6.0
    assert not evaluate(values, alerts_per_month=0.25).alert.any()


def test_thin_data_have_no_score_and_no_alert():
    values = declining(10)
    values[:, ::2] = np.nan
    values[:, :70] = np.nan
    found = evaluate(values)
    assert np.isnan(found.score).all()
    assert np.isnan(found.limit).all()
    assert not found.alert.any()


def test_a_fortnights_decline_without_any_acute_value_is_found():
    values = declining(200)
    assert np.nanmax(values) <= 7
    late = evaluate(values, alerts_per_month=0.5).alert[:, 76:]
    assert late.any(axis=1).mean() > 0.9


def test_steady_people_mostly_stay_quiet():
    found = evaluate(steady(300, seed=5), alerts_per_month=0.25)
    live = (~np.isnan(found.score)).sum()
    assert found.alert.sum() * 30 / live < 0.35
    assert not evaluate(steady(300, seed=5), alerts_per_month=0.25).alert[:, :17].any()


def test_a_decline_in_one_of_four_signals_is_found_too():
    calm = steady(200, signals=4)
    values = calm.copy()
    values[:, :, 2] = declining(200, seed=9)[:, :, 0]
    found, chance = (
        evaluate(each, alerts_per_month=1.0).alert[:, 76:].any(axis=1).mean()
        for each in (values, calm)
    )
    assert found > 0.7
    assert chance < 0.25


def test_several_signals_tell_more_than_one():
    one = evaluate(declining(200, signals=1), alerts_per_month=0.25).alert[:, 76:87]
    three = evaluate(declining(200, signals=3), alerts_per_month=0.25).alert[:, 76:87]
    assert three.any(axis=1).sum() > one.any(axis=1).sum()


def test_improvement_never_alarms():
    better = 10 - declining(100)
    late = evaluate(better, alerts_per_month=0.25).alert[:, 80:]
    assert late.any(axis=1).mean() < 0.03


def test_alerts_keep_a_week_apart():
    for row in evaluate(declining(100), alerts_per_month=2.0).alert:
        assert (np.diff(np.flatnonzero(row)) >= 7).all()


def test_a_smaller_load_has_a_higher_limit():
    loads = (0.05, 0.25, 0.5, 0.6, 1.0, 2.0)
    limits = [shipped_limits().at(load, np.array([2]))[0] for load in loads]
    assert limits == sorted(limits, reverse=True)
    assert len(set(limits)) == len(limits)


@pytest.mark.parametrize("load", [0.0, -1.0, float("nan")])
def test_a_load_that_is_none_is_refused(load):
    with pytest.raises(ValueError, match="alerts_per_month"):
        evaluate(steady(2), alerts_per_month=load)


def test_wrong_shapes_and_scales_are_refused():
    with pytest.raises(ValueError, match="scale"):
        evaluate(steady(2), scale=(5, 5))
    with pytest.raises(ValueError, match="people x days"):
        evaluate(np.zeros(90))
