"""What a programme knows of one person, as the weeks that the trials counted in. Pure.

The trials tested at every weekly visit. A programme does not, so: a week without a test in which
nobody came to a session that was planned is a missed one; other weeks without one are passed over.
About staying away a week with a session attended and no test taken counts, too: it repeats the last
result for up to four weeks. About use it would only pretend to know, and is passed over as well.
Which way foretells which better was measured (`bench/evaluate/thinned.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from .arrays import Ints
from .outlook_features import DAYS_A_WEEK, MONTH_WEEKS, Screen, WeeklyHistory

WEEKS = 60
# A result says something of the weeks after it for so long.
LATELY_WEEKS = 4
RECENT_WEEKS = 8
# In the trials: cocaine, amphetamines and benzodiazepines.
OTHERS = frozenset({"stimulants", "benzodiazepines"})


@dataclass(frozen=True, slots=True)
class DatedTest:
    """A test of one day. `result` is negative, positive, refused or missed; `positive_for` may be
    empty for a positive one."""

    on: date
    result: str
    positive_for: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class KnownHistory:
    """The weeks up to `last_on`, by tests alone for use and by visits for staying away, and what
    can be said of them in words.

    `tests` counts weeks with a result, `positive` those of them that were positive for what is
    treated. `missed_run` are weeks missed up to now, `missed` those of the last `weeks` (8 at the
    most). `use_days` are days with use reported in four weeks, `days_since_use` None without any.
    """

    last_on: date
    by_tests: WeeklyHistory
    by_visits: WeeklyHistory
    is_recent: bool
    tests: int
    positive: int
    last_was_positive: bool
    missed_run: int
    missed: int
    weeks: int
    weeks_in_care: int
    use_days: int
    days_since_use: int | None
    other_positive: int


def known_history(
    *,
    first_on: date,
    last_on: date,
    tests: Sequence[DatedTest],
    sessions: Mapping[date, bool],
    use: Collection[date],
    treated: frozenset[str],
) -> KnownHistory:
    """The weeks of 7 days that end on `last_on`, none of them before the one of `first_on`.

    `sessions` says for each day with a session held whether they came to one. `treated` names what
    is treated; empty takes a positive test to be about that.
    """
    first = max(0, WEEKS - 1 - (last_on - first_on).days // DAYS_A_WEEK)
    results = np.full(WEEKS, int(Screen.NONE))
    other = np.zeros(WEEKS)
    for test in tests:
        week = _week(test.on, last_on)
        if first <= week < WEEKS:
            results[week] = _worse(results[week], _screen(test, treated))
            other[week] += len(test.positive_for & (OTHERS - treated))
    came = _came(sessions, last_on)
    tested, counted = (
        screens[screens != Screen.NONE]
        for screens in (
            _with_sessions(results, came, first, repeats=repeats) for repeats in (False, True)
        )
    )
    days = sorted(day for day in use if day <= last_on)
    use_days = np.zeros(WEEKS)
    for day in days:
        week = _week(day, last_on)
        if week >= 0:
            use_days[week] += 1
    since = (last_on - days[-1]).days if days else None
    taken = results[results <= Screen.POSITIVE]
    lately = results[-LATELY_WEEKS:]
    recent = counted[-RECENT_WEEKS:]
    by_tests, by_visits = (
        WeeklyHistory(
            screens=_packed(screens)[None, :],
            use_days=use_days[None, :],
            other_positive=other[None, :],
            days_since_use=np.array([np.nan if since is None else float(since)]),
        )
        for screens in (tested, counted)
    )
    return KnownHistory(
        last_on=last_on,
        by_tests=by_tests,
        by_visits=by_visits,
        is_recent=bool(np.any(lately <= Screen.POSITIVE)),
        tests=len(taken),
        positive=int((taken == Screen.POSITIVE).sum()),
        last_was_positive=bool(len(taken)) and bool(taken[-1] == Screen.POSITIVE),
        missed_run=_run(counted),
        missed=int((recent == Screen.MISSED).sum()),
        weeks=len(recent),
        weeks_in_care=len(counted),
        use_days=int(use_days[-MONTH_WEEKS:].sum()),
        days_since_use=since,
        other_positive=int(other[-MONTH_WEEKS:].sum()),
    )


def _week(day: date, last_on: date) -> int:
    """Its place among the weeks; WEEKS for a day that has not come, below 0 for one too old."""
    if day > last_on:
        return WEEKS
    return WEEKS - 1 - (last_on - day) // timedelta(days=DAYS_A_WEEK)


def _screen(test: DatedTest, treated: frozenset[str]) -> Screen:
    if test.result in ("refused", "missed"):
        return Screen.MISSED
    is_about_treated = not treated or not test.positive_for or bool(test.positive_for & treated)
    return Screen.POSITIVE if test.result == "positive" and is_about_treated else Screen.NEGATIVE


def _worse(one: int, other: Screen) -> int:
    """One positive among several counts as positive, and one taken as taken."""
    order = (Screen.NONE, Screen.MISSED, Screen.NEGATIVE, Screen.POSITIVE)
    return int(max(Screen(one), other, key=order.index))


def _came(sessions: Mapping[date, bool], last_on: date) -> dict[int, bool]:
    """For each week with a session held whether they came to one."""
    came: dict[int, bool] = {}
    for day, was_there in sessions.items():
        week = _week(day, last_on)
        came[week] = came.get(week, False) or was_there
    return came


def _with_sessions(results: Ints, came: Mapping[int, bool], first: int, *, repeats: bool) -> Ints:
    screens = results.copy()
    for week in range(first, WEEKS):
        if week not in came or results[week] <= Screen.POSITIVE:
            continue
        before = results[max(week - LATELY_WEEKS, 0) : week]
        taken = before[before <= Screen.POSITIVE]
        if not came[week]:
            screens[week] = int(Screen.MISSED)
        else:
            screens[week] = int(taken[-1]) if repeats and len(taken) else int(Screen.NONE)
    return screens


def _packed(
    counted: Ints,
) -> Ints:
    """The weeks that count, moved to the end: the trials knew no others."""
    packed = np.full(WEEKS, int(Screen.NONE))
    if len(counted):
        packed[-len(counted) :] = counted
    return packed


def _run(counted: Ints) -> int:
    """Weeks missed up to the last one."""
    other = np.flatnonzero(counted != Screen.MISSED)
    return len(counted) - 1 - int(other[-1]) if len(other) else len(counted)
