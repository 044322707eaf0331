"""Schedules on the wall clock: eight zones, both DST changes, flights, month ends, other weeks.

What is expected is found by walking minute by minute and looking at the clock on the wall; what
is tested is asked as a sweep would ask it, now and then, with nothing but the last date.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.aftercare.schedules import (
    LOOK_BACK,
    Every,
    Occurrence,
    Schedule,
    due,
    falls_on,
    is_stale,
    next_due,
    occurrence_on,
)

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
# Both changes of 2026 in zones that differ: hour and half hour, by night and at midnight, north
# and south, one whose clocks go back in spring.
CHANGES = {
    "America/New_York": (date(2026, 3, 8), date(2026, 11, 1)),
    "America/St_Johns": (date(2026, 3, 8), date(2026, 11, 1)),
    "America/Santiago": (date(2026, 4, 5), date(2026, 9, 6)),
    "Europe/London": (date(2026, 3, 29), date(2026, 10, 25)),
    "Europe/Dublin": (date(2026, 3, 29), date(2026, 10, 25)),
    "Australia/Lord_Howe": (date(2026, 4, 5), date(2026, 10, 4)),
    "Pacific/Auckland": (date(2026, 4, 5), date(2026, 9, 27)),
    "Asia/Beirut": (date(2026, 3, 29), date(2026, 10, 25)),
}
TIMES = (time(0, 0), time(1, 30), time(2, 15), time(2, 30), time(19, 0), time(23, 45))
Kind = Callable[[time, date], Schedule]


def daily(at: time, change: date) -> Schedule:
    return Schedule(Every.DAY, at, starts_on=change - 400 * DAY)


def weekdays(at: time, change: date) -> Schedule:
    days = frozenset({change.weekday(), (change.weekday() + 3) % 7})
    return Schedule(Every.WEEKDAYS, at, starts_on=change - 400 * DAY, weekdays=days)


def every_second_week(at: time, change: date) -> Schedule:
    days = frozenset({change.weekday(), (change.weekday() + 2) % 7})
    return Schedule(Every.WEEKS, at, starts_on=change - 14 * DAY, weekdays=days, interval_weeks=2)


def every_third_week(at: time, change: date) -> Schedule:
    days = frozenset({change.weekday()})
    return Schedule(Every.WEEKS, at, starts_on=change - 21 * DAY, weekdays=days, interval_weeks=3)


def monthly(at: time, change: date) -> Schedule:
    return Schedule(Every.MONTH, at, starts_on=change - 400 * DAY, day_of_month=change.day)


def at_months_end(at: time, change: date) -> Schedule:
    return Schedule(Every.MONTH, at, starts_on=change - 400 * DAY, day_of_month=31)


KINDS: tuple[Kind, ...] = (
    daily, weekdays, every_second_week, every_third_week, monthly, at_months_end,
)  # fmt: skip
SPAN = {"daily": 4, "weekdays": 5, "every_second_week": 9, "every_third_week": 9}
LONGEST_SPAN = 34


def is_meant(kind: Kind, plan: Schedule, day: date) -> bool:
    """Which dates are meant, in other words than the module's."""
    if kind is daily:
        return True
    if kind in (monthly, at_months_end):
        last = (day.replace(day=28) + 4 * DAY).replace(day=1) - DAY
        return day == min(last, day.replace(day=1) + (plan.day_of_month - 1) * DAY)
    if kind is weekdays:
        return day.weekday() in plan.weekdays
    return any(
        (day - plan.starts_on - extra * DAY).days % (7 * plan.interval_weeks) == 0
        for extra in range(7)
        if (plan.starts_on + extra * DAY).weekday() in plan.weekdays
        and extra < 7 - plan.starts_on.weekday()
    ) or any(
        (day - (plan.starts_on - back * DAY)).days % (7 * plan.interval_weeks) == 0
        for back in range(1, plan.starts_on.weekday() + 1)
        if (plan.starts_on - back * DAY).weekday() in plan.weekdays
    )


@lru_cache(maxsize=2)
def walls(zone: ZoneInfo, first: datetime, last: datetime) -> list[tuple[datetime, date, time]]:
    """Every minute between, with the day and the time that the clock on the wall shows."""
    minutes = (first + n * MINUTE for n in range((last - first) // MINUTE + 1))
    shown = ((moment, moment.astimezone(zone)) for moment in minutes)
    return [(moment, wall.date(), wall.time()) for moment, wall in shown]


def expected(kind: Kind, plan: Schedule, zone: ZoneInfo, change: date) -> dict[date, datetime]:
    """For each date that is meant, the first minute at which the wall is at its time or past it."""
    found: dict[date, datetime] = {}
    for moment, day, shown in walls(zone, *around(zone, change, kind)):
        if shown >= plan.at:
            found.setdefault(day, moment)
    return {day: at for day, at in found.items() if is_meant(kind, plan, day)}


def around(zone: ZoneInfo, change: date, kind: Kind) -> tuple[datetime, datetime]:
    """From a quiet minute before the change to one after it, UTC."""
    span = SPAN.get(kind.__name__, LONGEST_SPAN)
    first = datetime.combine(change - span // 2 * DAY, time(0, 0), tzinfo=zone)
    last = datetime.combine(change + span // 2 * DAY, time(23, 59), tzinfo=zone)
    return first.astimezone(UTC), last.astimezone(UTC)


def swept(
    plan: Schedule, zone: ZoneInfo, first: datetime, last: datetime, *, every: timedelta
) -> list[Occurrence]:
    """What a sweep would send that asks so often and keeps the last date alone."""
    found: list[Occurrence] = []
    after = first.astimezone(zone).date() - DAY
    asked = [first + n * every for n in range((last - first) // every + 1)]
    for moment in (*asked, last):
        for occurrence in due(plan, zone, now=moment, after=after):
            found.append(occurrence)
            after = occurrence.on
    return found


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("name", CHANGES)
def test_eight_zones_and_both_changes_miss_nothing_and_double_nothing(name: str, kind: Kind):
    zone = ZoneInfo(name)
    missed, doubled, moved = 0, 0, []
    for change in CHANGES[name]:
        for at in TIMES:
            plan = kind(at, change)
            wanted = expected(kind, plan, zone, change)
            got = swept(plan, zone, *around(zone, change, kind), every=timedelta(minutes=30))
            missed += len(wanted.keys() - {one.on for one in got})
            doubled += len(got) - len({one.on for one in got})
            moved += [(one, wanted.get(one.on)) for one in got if wanted.get(one.on) != one.at]
    assert (missed, doubled) == (0, 0)
    assert moved == []


def test_the_changes_above_are_changes():
    for name, days in CHANGES.items():
        for day in days:
            noons = [
                datetime.combine(day + n * DAY, time(12), tzinfo=ZoneInfo(name)) for n in (-1, 0)
            ]
            assert len({noon.utcoffset() for noon in noons}) == 2, (name, day)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_next_one_is_the_one_that_comes(kind: Kind):
    zone = ZoneInfo("America/New_York")
    for change in CHANGES["America/New_York"]:
        plan = kind(time(2, 30), change)
        came = sorted(expected(kind, plan, zone, change).items())
        for (day, at), (next_day, next_at) in pairwise(came):
            for now in (at, at + timedelta(hours=3)):
                assert next_due(plan, zone, now=now, after=day) == Occurrence(next_day, next_at)


# Flights ----------------------------------------------------------------------------------------

ROUTES = ("Pacific/Auckland", "Pacific/Honolulu", "Europe/London", "America/New_York", "Asia/Tokyo")
EVENING = Schedule(Every.DAY, time(19, 0), starts_on=date(2026, 1, 1))
START = datetime(2026, 5, 4, 0, 0, tzinfo=UTC)


@settings(max_examples=60, deadline=None)
@given(
    flights=st.lists(st.tuples(st.integers(1, 60), st.sampled_from(ROUTES)), min_size=1, max_size=6)
)
def test_however_somebody_flies_no_date_comes_twice_and_none_is_lost(
    flights: list[tuple[int, str]],
):
    moment, zone = START, ZoneInfo("Europe/London")
    after = moment.astimezone(zone).date() - DAY
    seen: list[date] = []
    lived: dict[date, bool] = {}
    for hours, destination in [*flights, (48, "Europe/London")]:
        end = moment + timedelta(hours=hours)
        while moment < end:
            wall = moment.astimezone(zone)
            if wall.time() >= EVENING.at and wall.date() > after:
                lived[wall.date()] = True
            for one in due(EVENING, zone, now=moment, after=after):
                seen.append(one.on)
                after = one.on
            moment += timedelta(minutes=30)
        zone = ZoneInfo(destination)
    assert len(seen) == len(set(seen))
    assert seen == sorted(seen)
    assert lived.keys() <= set(seen)
    # A date that was flown over is not lost either: it comes up, as late.
    assert all((b - a) == DAY for a, b in pairwise(seen))


def test_west_over_the_date_line_the_evening_does_not_come_again():
    auckland, honolulu = ZoneInfo("Pacific/Auckland"), ZoneInfo("Pacific/Honolulu")
    evening = occurrence_on(EVENING, date(2026, 5, 6), auckland)
    assert [one.on for one in due(EVENING, auckland, now=evening.at, after=date(2026, 5, 5))] == [
        date(2026, 5, 6)
    ]
    for hours in range(40):
        now = evening.at + timedelta(hours=hours)
        for one in due(EVENING, honolulu, now=now, after=evening.on):
            assert one.on > evening.on


def test_east_over_an_evening_it_is_late_and_not_lost():
    tokyo = ZoneInfo("Asia/Tokyo")
    landed = datetime(2026, 5, 7, 13, 0, tzinfo=UTC)  # 22:00 in Tokyo
    (one,) = due(EVENING, tokyo, now=landed, after=date(2026, 5, 6))
    assert one.on == date(2026, 5, 7)
    assert is_stale(one, now=landed, life=timedelta(hours=2))


# Calendars --------------------------------------------------------------------------------------


@given(day_of_month=st.integers(1, 31), year=st.integers(2024, 2033), month=st.integers(1, 12))
def test_every_month_has_one_day_and_a_short_one_its_last(day_of_month, year, month):
    plan = Schedule(Every.MONTH, time(9), starts_on=date(2020, 1, 1), day_of_month=day_of_month)
    length = calendar.monthrange(year, month)[1]
    days = [day for day in range(1, length + 1) if falls_on(plan, date(year, month, day))]
    assert days == [min(day_of_month, length)]


@given(
    interval=st.integers(1, 8),
    weekday=st.integers(0, 6),
    starts=st.dates(date(2024, 1, 1), date(2027, 12, 31)),
)
def test_every_nth_week_is_that_far_apart_over_years_ends_too(interval, weekday, starts):
    plan = Schedule(
        Every.WEEKS,
        time(9),
        starts_on=starts,
        weekdays=frozenset({weekday}),
        interval_weeks=interval,
    )
    days = [starts + n * DAY for n in range(400) if falls_on(plan, starts + n * DAY)]
    assert {(b - a).days for a, b in pairwise(days)} <= {7 * interval}
    assert (days[0] - starts).days < 7 * interval + 7
    assert all(day.weekday() == weekday for day in days)


def test_nothing_falls_before_it_starts_and_nothing_is_due_that_is_long_past():
    zone = ZoneInfo("UTC")
    plan = Schedule(Every.DAY, time(9), starts_on=date(2026, 5, 4))
    assert not falls_on(plan, date(2026, 5, 3))
    now = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
    found = [one.on for one in due(plan, zone, now=now, after=None)]
    assert found == [now.date() - LOOK_BACK + n * DAY for n in range(4)]
    assert due(plan, zone, now=now, after=now.date()) == []


def test_a_date_that_a_zone_left_out_is_at_the_jump():
    # Samoa went from the 29th straight to the 31st.
    plan = Schedule(Every.DAY, time(19), starts_on=date(2011, 12, 1))
    left_out = occurrence_on(plan, date(2011, 12, 30), ZoneInfo("Pacific/Apia"))
    assert left_out.at == datetime(2011, 12, 30, 10, 0, tzinfo=UTC)


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="aware"):
        due(EVENING, ZoneInfo("UTC"), now=datetime(2026, 5, 4), after=None)  # noqa: DTZ001
