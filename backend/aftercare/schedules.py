"""What is due at an instant, by a schedule on the wall clock of where somebody is. Pure.

An occurrence belongs to a local date, and a date has at most one. Where the clocks jump over its
time it is at the jump; where they show that time twice, at the first. A change of zone changes no
date that was dealt with: whoever flies west meets a date again and is not asked a second time,
whoever flies east over an evening finds it among what is late.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from backend.notifications.quiet_hours import instant_of

VERSION = "schedules-1"

ONE_DAY = timedelta(days=1)
# Further back nothing is of any use: such dates are passed over.
LOOK_BACK = timedelta(days=3)
# Long enough for the rarest: every 52nd week.
LOOK_AHEAD = timedelta(days=7 * 52 + 7)


class Every(StrEnum):
    """How often."""

    DAY = "day"
    WEEKDAYS = "weekdays"
    WEEKS = "weeks"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Schedule:
    """`weekdays` count from 0, Monday. Fields that `every` does not need are ignored.

    WEEKDAYS: on those days of each week. WEEKS: on those days of every `interval_weeks`-th week,
    the week of `starts_on` being the first. MONTH: on `day_of_month`, or on the last day of a
    month that is shorter.
    """

    every: Every
    at: time
    starts_on: date
    weekdays: frozenset[int] = frozenset()
    interval_weeks: int = 1
    day_of_month: int = 1


@dataclass(frozen=True, slots=True)
class Occurrence:
    """`at` is aware UTC: the instant at which that date's turn comes in the zone asked about."""

    on: date
    at: datetime


def falls_on(schedule: Schedule, day: date) -> bool:
    """Whether it has an occurrence on that date."""
    if day < schedule.starts_on:
        return False
    if schedule.every is Every.DAY:
        return True
    if schedule.every is Every.MONTH:
        last = calendar.monthrange(day.year, day.month)[1]
        return day.day == min(schedule.day_of_month, last)
    if day.weekday() not in schedule.weekdays:
        return False
    if schedule.every is Every.WEEKDAYS:
        return True
    weeks = (_monday(day) - _monday(schedule.starts_on)).days // 7
    return weeks % schedule.interval_weeks == 0


def occurrence_on(schedule: Schedule, day: date, zone: ZoneInfo) -> Occurrence:
    """That date's, whether or not it falls on it."""
    return Occurrence(day, instant_of(datetime.combine(day, schedule.at), zone))


def due(
    schedule: Schedule, zone: ZoneInfo, *, now: datetime, after: date | None
) -> list[Occurrence]:
    """Every occurrence whose turn has come by `now`, on dates later than `after`, in order.

    `after` is the latest date that was dealt with, in whatever zone that was; None for none.
    Dates more than `LOOK_BACK` ago are passed over. Raises ValueError when `now` has no zone.
    """
    if now.utcoffset() is None:
        raise ValueError("now must be aware")
    today = now.astimezone(zone).date()
    first = max(today - LOOK_BACK, date.min if after is None else after + ONE_DAY)
    return [
        found
        for day in _days(first, today)
        if falls_on(schedule, day)
        for found in (occurrence_on(schedule, day, zone),)
        if found.at <= now
    ]


def next_due(
    schedule: Schedule, zone: ZoneInfo, *, now: datetime, after: date | None
) -> Occurrence | None:
    """The first occurrence after `now` on a date later than `after`; None within a year."""
    today = now.astimezone(zone).date()
    first = max(today, date.min if after is None else after + ONE_DAY)
    for day in _days(first, first + LOOK_AHEAD):
        if falls_on(schedule, day):
            found = occurrence_on(schedule, day, zone)
            if found.at > now:
                return found
    return None


def _days(first: date, last: date) -> Iterator[date]:
    for offset in range((last - first).days + 1):
        yield first + offset * ONE_DAY


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def is_stale(found: Occurrence, *, now: datetime, life: timedelta) -> bool:
    """Whether it is too late for it to be of use."""
    return now.astimezone(UTC) - found.at > life
