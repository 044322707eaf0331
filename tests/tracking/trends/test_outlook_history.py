"""What a programme knows, as the weeks that the outlook counts in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from backend.tracking.trends.outlook_features import Screen
from backend.tracking.trends.outlook_history import WEEKS, DatedTest, KnownHistory, known_history

LAST = date(2026, 3, 8)
N, P, M = Screen.NEGATIVE, Screen.POSITIVE, Screen.MISSED
OPIOIDS = frozenset({"opioids"})


def ago(days: int) -> date:
    return LAST - timedelta(days=days)


def on_day(days: int, result: str, *positive_for: str) -> DatedTest:
    return DatedTest(ago(days), result, frozenset(positive_for))


def known(
    tests: Sequence[DatedTest] = (),
    sessions: Mapping[int, bool] | None = None,
    **items: Any,
) -> KnownHistory:
    values: dict[str, Any] = {"first_on": ago(69), "use": (), "treated": OPIOIDS, **items}
    held = {ago(days): came for days, came in (sessions or {}).items()}
    return known_history(last_on=LAST, tests=tests, sessions=held, **values)


def screens(found: KnownHistory, *, by_tests: bool = False) -> list[int]:
    row = (found.by_tests if by_tests else found.by_visits).screens[0]
    assert len(row) == WEEKS
    return [int(week) for week in row if week != Screen.NONE]


def test_a_week_is_the_seven_days_up_to_the_last() -> None:
    assert screens(known([on_day(0, "negative"), on_day(6, "negative")])) == [N]
    assert screens(known([on_day(0, "positive", "opioids"), on_day(7, "negative")])) == [N, P]
    assert screens(known([on_day(-1, "positive", "opioids")])) == []


@pytest.mark.parametrize(
    ("results", "week"),
    [
        (["negative", "positive"], P),
        (["missed", "negative"], N),
        (["refused"], M),
        (["missed", "positive"], P),
    ],
)
def test_one_positive_counts_and_one_taken_counts(results: list[str], week: Screen) -> None:
    assert screens(known([on_day(day, result) for day, result in enumerate(results)])) == [week]


def test_positive_is_about_what_is_treated() -> None:
    other = [on_day(1, "positive", "stimulants", "cannabis")]
    found = known(other)
    assert (screens(found), found.other_positive, found.positive) == ([N], 1, 0)
    assert screens(known(other, treated=frozenset())) == [P]
    treated = known(other, treated=frozenset({"stimulants"}))
    assert (screens(treated), treated.other_positive) == ([P], 0)


def test_a_week_without_a_test_in_which_nobody_came_is_missed() -> None:
    found = known([on_day(20, "negative")], {13: False, 9: False, 2: False})
    assert screens(found) == screens(found, by_tests=True) == [N, M, M]
    assert (found.missed_run, found.missed, found.weeks) == (2, 2, 3)


def test_who_came_without_being_tested_keeps_the_last_result() -> None:
    found = known([on_day(20, "positive", "opioids")], {9: True, 8: False, 2: True})
    assert screens(found) == [P, P, P]
    assert screens(found, by_tests=True) == [P]
    assert (found.tests, found.positive, found.missed_run) == (1, 1, 0)
    # Not for longer than four weeks, nor without any result; and who refused was there.
    assert screens(known([on_day(40, "negative")], {2: True})) == [N]
    assert screens(known([], {2: True})) == []
    assert screens(known([on_day(20, "negative"), on_day(3, "refused")], {3: True})) == [N, N]


def test_weeks_in_which_nothing_was_due_are_passed_over() -> None:
    found = known([on_day(34, "negative"), on_day(1, "positive")])
    assert screens(found) == [N, P]
    assert found.by_visits.screens[0, -2:].tolist() == [N, P]
    assert found.weeks_in_care == 2


def test_nothing_counts_from_before_the_episode() -> None:
    assert screens(known([on_day(30, "positive")], first_on=ago(20))) == []


def test_use_is_counted_by_calendar_weeks() -> None:
    found = known([on_day(1, "negative")], use=[ago(3), ago(2), ago(9), ago(40), ago(-1)])
    assert found.by_visits.use_days[0, -2:].tolist() == [1, 2]
    assert (found.use_days, found.days_since_use) == (3, 2)
    never = known([on_day(1, "negative")])
    assert (never.days_since_use, bool(np.isnan(never.by_visits.days_since_use[0]))) == (None, True)


def test_a_result_of_more_than_four_weeks_ago_says_nothing_of_now() -> None:
    assert known([on_day(27, "negative")]).is_recent
    assert not known([on_day(28, "negative")]).is_recent
    assert not known([on_day(1, "missed"), on_day(2, "refused")]).is_recent
