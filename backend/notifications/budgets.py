"""How much may be said to one person: so many a day and so many in seven days. Pure.

Counted over everything of that sort, whatever it came from: two sources do not get two budgets.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

VERSION = "1"

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Budget:
    """`per_week` is of any seven days that follow one another, today the last of them."""

    per_day: int
    per_week: int


@dataclass(frozen=True, slots=True)
class Spent:
    """What was said already: on this day, and in the seven days that end with it."""

    today: int
    week: int


def spent(said_on: Iterable[date], *, today: date) -> Spent:
    """Of the dates on which something was said. A later date than today counts as today.

    Whoever flies west meets a date for the second time; that gives no second budget.
    """
    days = [min(day, today) for day in said_on]
    return Spent(
        today=sum(day == today for day in days),
        week=sum(today - WEEK < day for day in days),
    )


def is_spent(budget: Budget, so_far: Spent) -> bool:
    """Whether nothing more may be said today."""
    return so_far.today >= budget.per_day or so_far.week >= budget.per_week
