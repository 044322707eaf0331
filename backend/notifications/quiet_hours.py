"""Quiet hours: the span of the night in which nothing but acute messages is sent.

Pure: no framework. A span belongs to the local date on which it begins, and its bounds are times
on the wall clock of the recipient. Where the wall clock jumps over a bound, the bound is the jump
itself; where it shows a bound twice, quiet hours begin with the first and end with the second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

VERSION = "1"

QUIET_FROM = time(21, 0)
QUIET_UNTIL = time(8, 0)

LONGEST = timedelta(hours=16)
"""How much of a day may be quiet: what is never sent helps nobody."""

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """One person's span, by the wall clock of where they are; equal bounds are none at all."""

    start: time = QUIET_FROM
    end: time = QUIET_UNTIL

    @classmethod
    def of(cls, stored: Sequence[time] | None) -> QuietHours:
        """As somebody has chosen them, start and end; those of everybody for None."""
        return cls(*stored) if stored else cls()

    @property
    def length(self) -> timedelta:
        """On a day without a jump of the clock."""
        start, end = (datetime.combine(date.min, one) for one in (self.start, self.end))
        return (end - start) % timedelta(days=1)

    def holds(self, at: time) -> bool:
        """Whether that time of day is inside."""
        if self.start <= self.end:
            return self.start <= at < self.end
        return at >= self.start or at < self.end

    def end_after(self, now: datetime, zone: ZoneInfo) -> datetime | None:
        """See `end_of_quiet_hours`."""
        return end_of_quiet_hours(now, zone, self.start, self.end)


def end_of_quiet_hours(
    now: datetime, zone: ZoneInfo, start: time = QUIET_FROM, end: time = QUIET_UNTIL
) -> datetime | None:
    """When the quiet hours around `now` end, aware UTC; None when it is not quiet.

    `start` belongs to the span and `end` does not; equal bounds mean no quiet hours at all.
    Raises ValueError when `now` has no zone.
    """
    if now.utcoffset() is None:
        raise ValueError("now must be aware")
    if start == end:
        return None
    today = now.astimezone(zone).date()
    moment = now.astimezone(UTC)
    # A jump of the clock can swallow the waking hours between two spans: go on to their end.
    for day in (today - timedelta(days=1), today, today + timedelta(days=1)):
        begins, ends = _span(day, zone, start, end)
        if begins <= moment < ends:
            moment = ends
    return None if moment == now else moment


def _span(day: date, zone: ZoneInfo, start: time, end: time) -> tuple[datetime, datetime]:
    last_day = day if start < end else day + timedelta(days=1)
    return (
        instant_of(datetime.combine(day, start), zone),
        instant_of(datetime.combine(last_day, end), zone, fold=1),
    )


def instant_of(wall: datetime, zone: ZoneInfo, *, fold: int = 0) -> datetime:
    """When the wall clock of the zone shows that time, or jumps over it, aware UTC.

    Where it shows it twice: the first for `fold` 0, the second for 1. `wall` has no zone.
    """
    earlier = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    later = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if later < earlier:  # the wall clock never shows it: the two sides of the jump change places
        return _first_showing(wall, zone, after=later, by=earlier)
    return later if fold else earlier


def _first_showing(wall: datetime, zone: ZoneInfo, *, after: datetime, by: datetime) -> datetime:
    """The first whole second in (after, by] at which the wall clock is at `wall` or past it."""
    low, high = 0, (by - after) // _SECOND
    while high - low > 1:
        middle = (low + high) // 2
        shown = (after + middle * _SECOND).astimezone(zone).replace(tzinfo=None)
        low, high = (low, middle) if shown >= wall else (middle, high)
    return after + high * _SECOND
