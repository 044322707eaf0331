"""When the care team works: an organisation's weekly hours in its own zone. Pure.

Hours map a weekday (`mon` ... `sun`) to spans of local time, for example `[["09:00", "17:00"]]`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Hours = Mapping[str, Sequence[Sequence[str]]]


def spans(hours: Hours, zone: ZoneInfo, *, since: date) -> Iterator[tuple[datetime, datetime]]:
    """The working spans of the 15 days from `since` on, as UTC instants, in order."""
    for offset in range(15):
        day = since + timedelta(days=offset)
        for start, end in hours.get(WEEKDAYS[day.weekday()], ()):
            yield _instant(day, start, zone), _instant(day, end, zone)


def _instant(day: date, clock: str, zone: ZoneInfo) -> datetime:
    if clock == "24:00":
        day, clock = day + timedelta(days=1), "00:00"
    # A time that a DST change skips becomes the same instant's later reading; one that happens
    # twice means its first: PEP 495's fold=0.
    return datetime.combine(day, time.fromisoformat(clock), tzinfo=zone).astimezone(UTC)


def is_open(hours: Hours, zone: ZoneInfo, *, now: datetime) -> bool:
    """Whether somebody is working at this instant."""
    yesterday = now.astimezone(zone).date() - timedelta(days=1)
    return any(start <= now < end for start, end in spans(hours, zone, since=yesterday))


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
