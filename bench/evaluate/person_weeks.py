"""CTN-0094 as rows: a person's history at the end of a week, and what followed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backend.tracking.trends.arrays import Bools, Floats, Ints
from backend.tracking.trends.outlook_features import (
    DAYS_A_WEEK,
    Screen,
    WeeklyHistory,
    features,
)

from .ctn0094 import Person

WEEKS = 60
GONE_WEEKS = 4


@dataclass(frozen=True, slots=True)
class PersonWeeks:
    """One entry a row. `person` indexes the people read, `current` and `following` are screens;
    `gone` says that the next four weeks were all missed, `followed` that there were four.
    """

    inputs: Floats
    person: Ints
    current: Ints
    following: Ints
    gone: Bools
    followed: Bools
    seen_lately: Bools


@dataclass(frozen=True, slots=True)
class _Row:
    person: int
    week: int
    screens: Ints
    use: Floats
    other: Floats
    since: float


def person_weeks(people: Sequence[Person], *, reported_by_last_visit: bool = False) -> PersonWeeks:
    """Rows from the end of the week of randomisation to the last but one.

    Use counts on the day it happened, as a daily check-in reports it. With
    `reported_by_last_visit` it counts only up to the last visit: what a clinic knew that week.
    """
    made = [
        row for n, person in enumerate(people) for row in _rows(n, person, reported_by_last_visit)
    ]
    history = WeeklyHistory(
        screens=np.stack([row.screens for row in made]),
        use_days=np.stack([row.use for row in made]),
        other_positive=np.stack([row.other for row in made]),
        days_since_use=np.array([row.since for row in made]),
    )
    after = [people[row.person].screens[row.week + 1 : row.week + 1 + GONE_WEEKS] for row in made]
    recent = history.screens[:, -GONE_WEEKS:]
    return PersonWeeks(
        inputs=features(history),
        person=np.array([row.person for row in made]),
        current=history.screens[:, -1],
        following=np.array([screens[0] for screens in after]),
        gone=np.array([bool((screens == Screen.MISSED).all()) for screens in after]),
        followed=np.array([len(screens) == GONE_WEEKS for screens in after]),
        seen_lately=np.any(recent <= Screen.POSITIVE, axis=1),
    )


def _rows(number: int, person: Person, reported_by_last_visit: bool) -> list[_Row]:
    ends = person.week_ends()
    return [
        _row(number, person, week, ends, reported_by_last_visit)
        for week in range(person.baseline_weeks - 1, len(person.screens) - 1)
    ]


def _row(
    number: int, person: Person, week: int, ends: Floats, reported_by_last_visit: bool
) -> _Row:
    now = float(ends[week])
    visits = person.visit_days[person.visit_days <= now]
    known_to = now
    if reported_by_last_visit:
        known_to = float(visits[-1]) if len(visits) else -np.inf
    use = person.use_days[person.use_days <= known_to]
    screens = np.full(WEEKS, int(Screen.NONE))
    screens[-(week + 1) :] = person.screens[: week + 1]
    since = now - float(use[-1]) if len(use) else np.nan
    return _Row(number, week, screens, _by_week(use, now), _by_week(person.other_days, now), since)


def _by_week(days: Floats, now: float) -> Floats:
    """How many of `days` fall into each week up to now, the last week last."""
    ago = ((now - days[days <= now]) // DAYS_A_WEEK).astype(int)
    counts = np.bincount(ago[ago < WEEKS], minlength=WEEKS)[::-1]
    return counts.astype(float)
