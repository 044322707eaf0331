"""People drawn from a model, so that the day a decline began is known. Pure: numpy alone.

Badness (0 best, 10 worst) has a personal level N(4.2, 1.3) within 2 to 8, a personal SD of 0.7 to
1.8 and first-order autocorrelation of 0.1 to 0.6; it is lower at weekends; a person's signals
correlate; check-ins are missing in runs. The demo cohort and the evaluation draw from it alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.tracking.trends.arrays import Bools, Floats, Ints

NEVER = 10_000
"""The onset of someone who does not decline: later than any day."""

LEVEL_MEAN, LEVEL_SD = 4.2, 1.3
LEVEL_LOWEST, LEVEL_HIGHEST = 2.0, 8.0
OWN_SD = (0.7, 1.8)
PHI = (0.1, 0.6)
SIGNAL_CORRELATION = 0.4
WEEKEND_SD, WEEKDAY_SD = -0.3, 0.12
SATURDAY = 5

MISSING_RATE = (1.8, 4.2)
"""Beta parameters of a person's own rate: 30 % on average."""
MISSING_PERSISTENCE = 0.35
MISSING_PER_SD = 0.15
MOST_MISSING = 0.97

RAMP_DAYS = 14
FIRST_ONSET, LAST_ONSET = 30, 65


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What is injected: `size` in SDs of the person, as a 14-day ramp or as a step."""

    size: float
    step: bool = False
    growing_missingness: bool = False
    signals: int = 1


@dataclass(frozen=True, slots=True)
class Cohort:
    """`values` people x days x signals (NaN missing); `onset` is NEVER where none was injected."""

    values: Floats
    onset: Ints


@dataclass(frozen=True, slots=True)
class Persons:
    """Who they are: `level` and `sd` of badness, people x signals; `phi`, one a person."""

    level: Floats
    sd: Floats
    phi: Floats


def simulate(
    scenario: Scenario, *, people: int = 4000, days: int = 90, rng: np.random.Generator
) -> Cohort:
    """Whole points of badness; half of the people decline, from a day drawn from 30 to 65."""
    onset = np.full(people, NEVER)
    decliners = people // 2
    onset[:decliners] = rng.integers(FIRST_ONSET, LAST_ONSET + 1, decliners)
    onset = rng.permutation(onset)
    decline = scenario.size * course(onset, days, step=scenario.step)
    persons = draw_persons(people, scenario.signals, rng)
    noise = autocorrelated(persons.phi, days, scenario.signals, rng)
    weekday = (np.arange(days)[None, :] + rng.integers(0, 7, (people, 1))) % 7
    values = np.clip(np.rint(badness(persons, noise, weekday, decline)), 0, 10)
    extra = MISSING_PER_SD * decline if scenario.growing_missingness else np.zeros_like(decline)
    values[missing_runs(extra, rng)] = np.nan
    return Cohort(values, onset)


def draw_persons(people: int, signals: int, rng: np.random.Generator) -> Persons:
    """Levels and SDs of each signal on their own, one autocorrelation a person."""
    level = rng.normal(LEVEL_MEAN, LEVEL_SD, (people, signals))
    sd = rng.uniform(*OWN_SD, (people, signals))
    return Persons(np.clip(level, LEVEL_LOWEST, LEVEL_HIGHEST), sd, rng.uniform(*PHI, people))


def badness(persons: Persons, noise: Floats, weekday: Ints, decline: Floats) -> Floats:
    """People x days x signals, neither rounded nor clipped.

    `noise` in SDs, people x days x signals; `weekday` 0 (Monday) to 6 and `decline` in SDs,
    people x days.
    """
    weekly = np.where(weekday >= SATURDAY, WEEKEND_SD, WEEKDAY_SD)
    moved = noise + weekly[:, :, None] + decline[:, :, None]
    return persons.level[:, None, :] + persons.sd[:, None, :] * moved


def course(onset: Ints, days: int, *, step: bool = False) -> Floats:
    """How much of a decline is there, 0 to 1, people x days."""
    since = np.arange(days)[None, :] - onset[:, None]
    if step:
        return (since >= 0).astype(float)
    return np.clip(since / RAMP_DAYS, 0, 1)


def autocorrelated(phi: Floats, days: int, signals: int, rng: np.random.Generator) -> Floats:
    """People x days x signals of unit variance, AR(1) from day to day."""
    mixing = np.linalg.cholesky(
        np.full((signals, signals), SIGNAL_CORRELATION) + (1 - SIGNAL_CORRELATION) * np.eye(signals)
    )
    shocks = rng.standard_normal((len(phi), days, signals)) @ mixing.T
    noise = np.empty_like(shocks)
    noise[:, 0] = shocks[:, 0]
    kept, fresh = phi[:, None], np.sqrt(1 - phi[:, None] ** 2)
    for day in range(1, days):
        noise[:, day] = kept * noise[:, day - 1] + fresh * shocks[:, day]
    return noise


def missing_runs(extra: Floats, rng: np.random.Generator) -> Bools:
    """Which check-ins are missing, people x days; `extra` is added to a person's own rate."""
    people, days = extra.shape
    rate = rng.beta(*MISSING_RATE, people)
    draws = rng.uniform(size=(people, days))
    missing = np.empty((people, days), dtype=bool)
    before = draws[:, 0] < rate
    missing[:, 0] = before
    for day in range(1, days):
        own = np.clip(rate + extra[:, day], 0, MOST_MISSING)
        before = draws[:, day] < own * (1 - MISSING_PERSISTENCE) + MISSING_PERSISTENCE * before
        missing[:, day] = before
    return missing
