"""When a decline begins, lasts, is over and comes back: one set of rules, live and looking back.

It takes much to begin (the flag's limit) and less to last (the nudge's), and it is over after a
week without: what sways about a limit is one episode, not one a day. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

VERSION = "episodes-1"

OVER_AFTER = timedelta(days=7)
# What comes back within this time of its last day is the same episode, and its alert re-opens.
REOPENS_WITHIN = timedelta(days=21)


@dataclass(frozen=True, slots=True)
class Day:
    """One day as it was judged. `is_known` is false while data are too thin or too old to say."""

    on: date
    flagged: bool
    nudged: bool
    is_known: bool = True


@dataclass(frozen=True, slots=True)
class Episode:
    """`ended_on` is the last day above the lower limit so far; `is_over` once it has recovered."""

    began_on: date
    ended_on: date
    is_over: bool


def is_over(day: Day, *, ended_on: date) -> bool:
    """Whether an episode that was last seen on `ended_on` has recovered as of this day.

    Silence is no recovery, so an unknown day ends nothing.
    """
    return day.is_known and not day.nudged and day.on - ended_on >= OVER_AFTER


def episodes(days: Iterable[Day]) -> Iterator[Episode]:
    """Every episode of these days, which come in order; the last one may go on."""
    began: date | None = None
    ended = date.min
    for day in days:
        if began is None:
            if day.flagged:
                began = ended = day.on
        elif day.nudged:
            ended = day.on
        elif is_over(day, ended_on=ended):
            yield Episode(began, ended, is_over=True)
            began = None
    if began is not None:
        yield Episode(began, ended, is_over=False)
