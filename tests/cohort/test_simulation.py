"""The model behind the demo and the evaluation: what the numbers are said to be, they are."""

from __future__ import annotations

import numpy as np
import pytest

from backend.tracking.simulation import (
    NEVER,
    RAMP_DAYS,
    SIGNAL_CORRELATION,
    Persons,
    Scenario,
    autocorrelated,
    badness,
    course,
    draw_persons,
    missing_runs,
    simulate,
)


def rng() -> np.random.Generator:
    return np.random.default_rng(11)


def test_the_same_seed_gives_the_same_people_and_another_gives_others() -> None:
    first, again = (simulate(Scenario(size=2), people=50, rng=rng()) for _ in range(2))
    other = simulate(Scenario(size=2), people=50, rng=np.random.default_rng(12))
    np.testing.assert_array_equal(first.values, again.values)
    assert not np.array_equal(first.values, other.values, equal_nan=True)


def test_values_are_whole_points_between_0_and_10() -> None:
    values = simulate(Scenario(size=2, signals=3), people=400, rng=rng()).values
    given = values[~np.isnan(values)]
    assert values.shape == (400, 90, 3)
    assert given.min() >= 0
    assert given.max() <= 10
    np.testing.assert_array_equal(given, np.rint(given))


def test_half_decline_by_the_size_asked_for() -> None:
    cohort = simulate(Scenario(size=2), people=4000, rng=rng())
    declines = cohort.onset < NEVER
    assert declines.mean() == 0.5
    assert cohort.onset[declines].min() >= 30
    assert cohort.onset[declines].max() <= 65
    before, after = cohort.values[:, :28, 0], cohort.values[:, -10:, 0]
    grew = np.nanmean(after[declines]) - np.nanmean(before[declines])
    stayed = np.nanmean(after[~declines]) - np.nanmean(before[~declines])
    assert grew == pytest.approx(2 * 1.25, abs=0.4)
    assert stayed == pytest.approx(0, abs=0.1)


def test_a_ramp_takes_a_fortnight_and_a_step_a_day() -> None:
    onset = np.array([40, NEVER])
    ramp, step = course(onset, 90), course(onset, 90, step=True)
    assert (ramp[0, 40], ramp[0, 40 + RAMP_DAYS // 2], ramp[0, 40 + RAMP_DAYS]) == (0, 0.5, 1)
    assert (step[0, 39], step[0, 40]) == (0, 1)
    assert not ramp[1].any()
    assert not step[1].any()


def test_days_hang_together_as_much_as_each_persons_phi_says() -> None:
    phi = np.array([0.1, 0.6])
    noise = autocorrelated(np.repeat(phi, 500), 90, 1, rng())[:, :, 0]
    together = (noise[:, 1:] * noise[:, :-1]).mean(axis=1).reshape(2, 500).mean(axis=1)
    np.testing.assert_allclose(together, phi, atol=0.03)
    assert noise.std() == pytest.approx(1, abs=0.02)


def test_signals_of_a_person_correlate() -> None:
    noise = autocorrelated(np.full(500, 0.3), 90, 2, rng())
    together = np.corrcoef(noise[:, :, 0].ravel(), noise[:, :, 1].ravel())[0, 1]
    assert together == pytest.approx(SIGNAL_CORRELATION, abs=0.03)


def test_weekends_are_better() -> None:
    persons = Persons(np.full((1, 1), 5.0), np.full((1, 1), 2.0), np.full(1, 0.3))
    weekday = np.arange(7)[None, :]
    days = badness(persons, np.zeros((1, 7, 1)), weekday, np.zeros((1, 7)))[0, :, 0]
    np.testing.assert_allclose(days, [5.24] * 5 + [4.4] * 2)


def test_levels_stay_within_2_and_8() -> None:
    persons = draw_persons(4000, 1, rng())
    assert persons.level.min() == 2
    assert persons.level.max() <= 8
    assert persons.level.mean() == pytest.approx(4.25, abs=0.1)
    assert persons.sd.min() >= 0.7
    assert persons.sd.max() <= 1.8


def test_a_third_is_missing_in_runs_and_more_while_it_grows() -> None:
    missing = missing_runs(np.zeros((4000, 90)), rng())
    assert missing.mean() == pytest.approx(0.3, abs=0.02)
    after_missing = missing[:, 1:][missing[:, :-1]].mean()
    after_answered = missing[:, 1:][~missing[:, :-1]].mean()
    assert after_missing > after_answered + 0.3
    assert missing_runs(np.full((4000, 90), 0.3), rng()).mean() > 0.5
