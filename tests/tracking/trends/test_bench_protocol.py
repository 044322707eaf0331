"""The evaluation itself: a mistake here would flatter every figure of the report."""

from __future__ import annotations

import json

import numpy as np
import pytest

from backend.tracking.simulation import NEVER, Scenario, simulate
from backend.tracking.trends import evaluate, shipped_limits
from bench.evaluate.charts import Axis, line_chart
from bench.evaluate.goals import GOALS, Goal
from bench.evaluate.jang import Diaries, injected
from bench.evaluate.logistic import auroc, fit, within_person
from bench.evaluate.protocol import alerts_on_quiet_days, halves, judge, outcomes
from bench.evaluate.scenarios import LOADS, SCENARIOS, load_key
from bench.evaluate.scorers import SCORERS, fused
from bench.evaluate.simulated_report import by_answers


def alarm(people: int, days: int, *on: tuple[int, int]) -> np.ndarray:
    score = np.zeros((people, days))
    for person, day in on:
        score[person, day] = 1.0
    return score


def test_an_alert_within_21_days_finds_the_decline_and_one_before_or_after_does_not():
    onset = np.array([30, 30, 30])
    found = outcomes(alarm(3, 90, (0, 51), (1, 52), (2, 29)), onset, 0.5)
    assert found.delay[0] == 21.0
    assert np.isnan(found.delay[1:]).all()


def test_only_days_before_the_onset_count_as_load():
    score = alarm(2, 60, (0, 10), (0, 40), (1, 50))
    onset = np.array([30, NEVER])
    assert alerts_on_quiet_days(score, onset, 0.5) == pytest.approx(2 * 30 / 90)


def test_days_without_a_score_are_not_live():
    score = alarm(1, 60, (0, 40))
    score[0, :30] = np.nan
    assert alerts_on_quiet_days(score, np.array([NEVER]), 0.5) == 1.0


def test_a_blind_score_finds_only_what_chance_finds():
    rng = np.random.default_rng(0)
    cohort = simulate(Scenario(size=2), people=2000, rng=rng)
    result = halves(rng.normal(size=cohort.values.shape[:2]), cohort.onset, 0.5).result()
    assert result.sensitivity == pytest.approx(1 - np.exp(-0.5 * 22 / 30), abs=0.05)
    assert result.realised_far == pytest.approx(0.5, rel=0.15)


def test_a_perfect_score_finds_all_at_once():
    cohort = simulate(Scenario(size=2), people=200, rng=np.random.default_rng(0))
    days = np.arange(90)[None, :]
    result = judge((days >= cohort.onset[:, None]).astype(float), cohort.onset, 0.5)
    assert (result.sensitivity, result.realised_far, result.delay_median) == (1.0, 0.0, 0.0)


def test_nothing_is_injected_before_the_onset():
    values = np.random.default_rng(0).integers(-2, 3, (20, 76)).astype(float)
    values[:, ::5] = np.nan
    changed, onset = injected(
        Diaries(values, np.arange(20)), SCENARIOS["2sd"], np.random.default_rng(1)
    )
    for row in range(20):
        np.testing.assert_array_equal(changed[row, : onset[row] + 1], values[row, : onset[row] + 1])
        assert np.nansum(changed[row]) > np.nansum(values[row])
    assert np.nanmax(changed) <= 3
    assert ((onset >= 28) & (onset <= 53)).all()


def test_outcomes_of_halves_know_whose_they_are():
    onset = np.array([NEVER, 30, NEVER, 40])
    found = halves(alarm(4, 90, (1, 35), (3, 41)), onset, 1.0)
    assert sorted(found.row.tolist()) == [0, 1, 2, 3]
    np.testing.assert_array_equal(found.declined, onset[found.row] < NEVER)


def test_those_who_hardly_answer_are_missed_more_often():
    table = by_answers(signals=1, people=1000, seed=5)["2sd"]
    few, many = table["0 to 5"], table["12 to 22"]
    assert few["sensitivity"] < many["sensitivity"] - 0.1
    assert few["share_of_people"] < 0.2 < many["share_of_people"]
    assert sum(row["share_of_people"] for row in table.values()) == pytest.approx(1, abs=0.001)


def test_the_limits_that_ship_keep_their_load_on_people_they_were_not_fitted_on():
    cohort = simulate(Scenario(size=2, signals=3), people=1500, rng=np.random.default_rng(606))
    score = evaluate(cohort.values).score
    live = np.where(np.isnan(score), 0, 3)
    for load in (0.5, 1.0):
        realised = alerts_on_quiet_days(score, cohort.onset, shipped_limits().at(load, live))
        assert realised == pytest.approx(load, rel=0.15)


def test_the_score_in_use_beats_the_textbook_on_three_signals():
    cohort = simulate(Scenario(size=2, signals=3), people=800, rng=np.random.default_rng(7))
    found = {
        name: halves(SCORERS[name](cohort.values, (0, 10), 1.25), cohort.onset, 0.25).result()
        for name in ("handrail", "ewma")
    }
    assert found["handrail"].sensitivity > 0.94
    assert found["handrail"].sensitivity > found["ewma"].sensitivity


def test_every_scorer_is_causal():
    cohort = simulate(Scenario(size=1, signals=2), people=12, rng=np.random.default_rng(3))
    changed = cohort.values.copy()
    changed[:, 61:] = 9.0
    for scorer in SCORERS.values():
        before = scorer(cohort.values, (0, 10), 1.25)[:, :61]
        np.testing.assert_allclose(before, scorer(changed, (0, 10), 1.25)[:, :61], atol=1e-8)


def test_area_under_the_curve():
    happened = np.array([True, True, False, False])
    assert auroc(np.array([0.9, 0.4, 0.6, 0.1]), happened) == 0.75
    assert auroc(np.full(4, 0.5), happened) == 0.5
    assert np.isnan(auroc(np.full(4, 0.5), np.ones(4, dtype=bool)))
    person = np.array([0, 1, 0, 1])
    assert within_person(np.array([0.9, 0.1, 0.6, 0.4]), happened, person) == 0.5


def test_the_regression_finds_the_weights_that_made_the_data():
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(20_000, 2))
    happened = rng.uniform(size=20_000) < 1 / (1 + np.exp(-(0.5 + 1.0 * inputs[:, 0])))
    model = fit(inputs, happened)
    assert model.weights / model.scale == pytest.approx([1.0, 0.0], abs=0.06)
    assert model.probability(inputs).mean() == pytest.approx(happened.mean(), abs=0.005)


def test_a_goal_knows_which_side_is_better():
    higher = Goal("sensitivity", ("a", "b"), 0.9, 0.95)
    lower = Goal("delay", ("a",), 9, 7, smaller_is_better=True)
    assert higher.met(0.95) and not higher.met(0.94)
    assert lower.met(7) and not lower.met(7.5)
    assert higher.figure({"a": {"b": 0.5}}) == 0.5
    assert higher.figure({"a": {}}) is None
    assert len({goal.measure for goal in GOALS}) == len(GOALS)


def test_keys_are_the_published_ones():
    assert [load_key(load) for load in LOADS] == ["far_0.25", "far_0.5", "far_1"]
    assert list(SCENARIOS) == ["1sd", "2sd", "2sd_step", "informative_missing"]


def test_a_chart_shows_every_line_and_escapes_its_words():
    svg = line_chart("a < b", Axis("x", 0, 1), Axis("y", 0, 1), {"one": [(0, 0)], "two": [(1, 1)]})
    assert svg.count("<polyline") == 2
    assert "a &lt; b" in svg
    assert "one" in svg


def test_the_limits_say_how_they_were_fitted():
    provenance = shipped_limits().provenance
    assert {"cohort", "seed", "people", "ruleset", "command"} <= set(provenance)
    assert json.dumps(dict(provenance))


def test_fused_is_what_is_served():
    values = simulate(Scenario(size=1), people=5, rng=np.random.default_rng(0)).values
    np.testing.assert_array_equal(fused(values, (0, 10), 1.25), evaluate(values).score)
