"""When the care team works: an organisation's weekly hours in its own zone. Pure.

Hours map a weekday (`mon` ... `sun`) to spans of local time, for example `[["09:00", "17:00"]]`,
and `holidays` to dates with a name, `{"2026-12-25": "Christmas Day"}`, on which nobody works.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from backend.notifications.quiet_hours import instant_of

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOLIDAYS = "holidays"
# Past any closing of a few weeks, such as over New Year.
LOOK_AHEAD_DAYS = 45

Hours = Mapping[str, Any]


def spans(hours: Hours, zone: ZoneInfo, *, since: date) -> Iterator[tuple[datetime, datetime]]:
    """The working spans of the `LOOK_AHEAD_DAYS` from `since` on, as UTC instants, in order.

    A bound is the first instant at which the wall clock is at its time or past it: people go home
    when the clock first says so, and a span that the clock jumps over is none.
    """
    holidays = hours.get(HOLIDAYS, {})
    for offset in range(LOOK_AHEAD_DAYS):
        day = since + timedelta(days=offset)
        if day.isoformat() in holidays:
            continue
        for start, end in hours.get(WEEKDAYS[day.weekday()], ()):
            begins, ends = _instant(day, start, zone), _instant(day, end, zone)
            if begins < ends:
                yield begins, ends


def _instant(day: date, clock: str, zone: ZoneInfo) -> datetime:
    if clock == "24:00":
        day, clock = day + timedelta(days=1), "00:00"
    return instant_of(datetime.combine(day, time.fromisoformat(clock)), zone)


def is_open(hours: Hours, zone: ZoneInfo, *, now: datetime) -> bool:
    """Whether somebody is working at this instant."""
    yesterday = now.astimezone(zone).date() - timedelta(days=1)
    for start, end in spans(hours, zone, since=yesterday):
        if now < end:
            return start <= now
    return False


def working_deadline(
    hours: Hours, zone: ZoneInfo, *, now: datetime, within: timedelta
) -> datetime | None:
    """When `within` of working time has passed from `now` on; None when it never does.

    Two hours from half an hour before closing is an hour and a half after the next opening: a
    promise never counts hours in which nobody works.
    """
    left = within
    yesterday = now.astimezone(zone).date() - timedelta(days=1)
    for start, end in spans(hours, zone, since=yesterday):
        begin = max(start, now)
        if end <= begin:
            continue
        if begin + left <= end:
            return begin + left
        left -= end - begin
    return None


def next_closing(hours: Hours, zone: ZoneInfo, *, now: datetime) -> datetime | None:
    """The end of the first span that begins after `now`; None when the team never works."""
    today = now.astimezone(zone).date()
    return next((end for start, end in spans(hours, zone, since=today) if start > now), None)
