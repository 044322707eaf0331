"""What the outlook looks at: each number can be said in words to a clinician."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from .arrays import Bools, Floats, Ints

DAYS_A_WEEK = 7
MONTH_WEEKS = 4
NEVER_DAYS = 99
RECENT_SHARE = 0.3
ABSENCE_SHARE = 0.4
MOST_OTHER = 12


class Screen(IntEnum):
    """A week's drug screen. One positive among several counts as positive."""

    NEGATIVE = 0
    POSITIVE = 1
    MISSED = 2
    NONE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklyHistory:
    """People x weeks, oldest first, the last column the week just ended.

    `screens` holds Screen values, NONE where no screen was due (before enrolment as well);
    `use_days` the days of reported use of the treated substance; `other_positive` the screens
    positive for cocaine, amphetamines or benzodiazepines; `days_since_use` (one a person) is NaN
    without any use.
    """

    screens: Ints
    use_days: Floats
    other_positive: Floats
    days_since_use: Floats


FEATURES: tuple[str, ...] = (
    "screen_positive",
    "screen_negative",
    "screen_missed",
    "screen_before_positive",
    "screen_before_negative",
    "positive_share",
    "positive_recently",
    "missed_recently",
    "missed_run",
    "weeks_in_care",
    "use_days_week",
    "any_use_week",
    "use_days_month",
    "days_since_use",
    "other_positive_month",
    "use_days_after_negative",
    "use_days_after_missed",
    "days_since_use_after_negative",
    "days_since_use_after_missed",
    "positive_share_settled",
)

THEMES: Mapping[str, tuple[str, ...]] = {
    "weeks": (
        "screen_positive",
        "screen_negative",
        "screen_missed",
        "missed_recently",
        "missed_run",
    ),
    "results": (
        "screen_before_positive",
        "screen_before_negative",
        "positive_share",
        "positive_recently",
        "positive_share_settled",
    ),
    "use": (
        "use_days_week",
        "any_use_week",
        "use_days_month",
        "use_days_after_negative",
        "days_since_use",
        "days_since_use_after_negative",
    ),
    "other_substances": ("other_positive_month",),
    "time_in_care": ("weeks_in_care",),
}
"""What can be said in words of features that move together: whether somebody came, what tests
found, use reported and how long ago, other substances, weeks in care."""

AFTER_MISSED = ("use_days_after_missed", "days_since_use_after_missed")
"""Use, counted only after a missed week: told with the side that an outcome is about."""


def features(history: WeeklyHistory) -> Floats:
    """People x FEATURES as of the last week."""
    screens = history.screens
    now, before = screens[:, -1], _before(screens)
    share = _positive_share(screens)
    weeks = np.log1p((np.cumsum(screens != Screen.NONE, axis=1)[:, -1]).astype(float))
    week_use = np.sqrt(history.use_days[:, -1])
    month_use = np.sqrt(history.use_days[:, -MONTH_WEEKS:].sum(axis=1))
    since = np.log1p(np.minimum(np.nan_to_num(history.days_since_use, nan=NEVER_DAYS), NEVER_DAYS))
    other = np.minimum(history.other_positive[:, -MONTH_WEEKS:].sum(axis=1), MOST_OTHER)
    negative = (now == Screen.NEGATIVE).astype(float)
    missed = (now == Screen.MISSED).astype(float)
    columns = (
        now == Screen.POSITIVE,
        negative,
        missed,
        before == Screen.POSITIVE,
        before == Screen.NEGATIVE,
        share,
        _recent(screens, Screen.POSITIVE, RECENT_SHARE, seen_only=True),
        _recent(screens, Screen.MISSED, ABSENCE_SHARE, seen_only=False),
        np.log1p(_missed_run(screens)),
        weeks,
        week_use,
        week_use > 0,
        month_use,
        since,
        other,
        negative * week_use,
        missed * week_use,
        negative * since,
        missed * since,
        share * weeks,
    )
    return np.stack([np.asarray(column, dtype=float) for column in columns], axis=1)


def seen_at_all(history: WeeklyHistory) -> Bools:
    """Who has at least one screen that was taken."""
    taken = (history.screens == Screen.NEGATIVE) | (history.screens == Screen.POSITIVE)
    seen: Bools = np.any(taken, axis=1)
    return seen


def _before(screens: Ints) -> Ints:
    return screens[:, -2] if screens.shape[1] > 1 else np.full(len(screens), int(Screen.NONE))


def _positive_share(screens: Ints) -> Floats:
    """Log odds of the positive among the screens taken, half a screen added to each side."""
    positive = (screens == Screen.POSITIVE).sum(axis=1) + 0.5
    negative = (screens == Screen.NEGATIVE).sum(axis=1) + 0.5
    log_odds: Floats = np.log(positive / negative)
    return log_odds


def _recent(screens: Ints, what: Screen, share: float, *, seen_only: bool) -> Floats:
    """Exponentially weighted share of `what`, starting at one half (0.1 for missed weeks)."""
    state = np.full(len(screens), 0.5 if seen_only else 0.1)
    for week in screens.T:
        counts = week <= Screen.POSITIVE if seen_only else week <= Screen.MISSED
        state = np.where(counts, (1 - share) * state + share * (week == what), state)
    return state


def _missed_run(screens: Ints) -> Floats:
    other = screens[:, ::-1] != Screen.MISSED
    run = np.where(np.any(other, axis=1), np.argmax(other, axis=1), screens.shape[1])
    result: Floats = run.astype(float)
    return result
