from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.notifications.quiet_hours import LONGEST, QuietHours, end_of_quiet_hours

ZONES = [
    ZoneInfo(name)
    for name in (
        "America/New_York",
        "America/Los_Angeles",
        "America/Santiago",  # the clock jumps at midnight
        "Europe/Berlin",
        "Europe/London",
        "Australia/Lord_Howe",  # by half an hour
        "Asia/Kathmandu",  # never, and three quarters of an hour off
        "Africa/Casablanca",  # back for Ramadan
    )
]
MOMENTS = st.datetimes(
    # Bounds without a zone are what the strategy asks for.
    min_value=datetime(2025, 1, 1),  # noqa: DTZ001
    max_value=datetime(2027, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)
BOUNDS = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))


@cache
def jumps(zone: ZoneInfo) -> list[datetime]:
    """The hours of 2026 in which the clock of this zone jumps."""
    first = datetime(2026, 1, 1, tzinfo=UTC)
    hours = [first + timedelta(hours=n) for n in range(24 * 365)]
    offsets = [(hour, hour.astimezone(zone).utcoffset()) for hour in hours]
    return [after for (_, one), (after, two) in pairwise(offsets) if one != two]


def near_jumps(zone: ZoneInfo) -> st.SearchStrategy[datetime]:
    around = st.integers(-48 * 60, 48 * 60).map(lambda minutes: timedelta(minutes=minutes))
    return st.builds(lambda jump, by: jump + by, st.sampled_from(jumps(zone)), around)


def moments_in(zone: ZoneInfo) -> st.SearchStrategy[datetime]:
    return MOMENTS | near_jumps(zone) if jumps(zone) else MOMENTS


CASES = st.sampled_from(ZONES).flatmap(lambda zone: st.tuples(st.just(zone), moments_in(zone)))


def wall_is_quiet(moment: datetime, zone: ZoneInfo, start: time, end: time) -> bool:
    shown = moment.astimezone(zone).time()
    if start < end:
        return start <= shown < end
    return start != end and (shown >= start or shown < end)


def clock_runs_evenly(moment: datetime, zone: ZoneInfo) -> bool:
    day = timedelta(days=1)
    around = (moment - day, moment, moment + day)
    return len({one.astimezone(zone).utcoffset() for one in around}) == 1


@given(CASES, BOUNDS, BOUNDS)
def test_it_is_quiet_exactly_when_the_wall_clock_says_so(
    case: tuple[ZoneInfo, datetime], start: time, end: time
) -> None:
    zone, moment = case
    quiet = end_of_quiet_hours(moment, zone, start, end) is not None
    if clock_runs_evenly(moment, zone):
        assert quiet == wall_is_quiet(moment, zone, start, end)
    elif wall_is_quiet(moment, zone, start, end):
        assert quiet  # around a jump it may only be quiet for longer, never for less


@given(CASES, BOUNDS, BOUNDS)
def test_the_end_lies_ahead_and_is_the_first_moment_that_is_not_quiet(
    case: tuple[ZoneInfo, datetime], start: time, end: time
) -> None:
    zone, moment = case
    morning = end_of_quiet_hours(moment, zone, start, end)
    if morning is None:
        return
    assert morning.tzinfo is UTC
    assert moment < morning <= moment + timedelta(hours=50)
    assert end_of_quiet_hours(morning, zone, start, end) is None
    assert end_of_quiet_hours(morning - timedelta(seconds=1), zone, start, end) == morning


@given(CASES)
def test_with_the_default_hours_the_morning_is_eight_on_the_wall(
    case: tuple[ZoneInfo, datetime],
) -> None:
    zone, moment = case
    morning = end_of_quiet_hours(moment, zone)
    if morning is None:
        assert time(8) <= moment.astimezone(zone).time() < time(21)
    else:
        assert morning.astimezone(zone).time() == time(8)
        assert morning - moment <= timedelta(hours=12)


def test_every_zone_but_one_has_a_jump_in_both_directions() -> None:
    assert [len(jumps(zone)) >= 2 for zone in ZONES] == [True] * 6 + [False, True]


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("America/New_York", date(2026, 3, 7), 10),  # one hour of the night is missing
        ("America/New_York", date(2026, 10, 31), 12),  # one comes twice
        ("Australia/Lord_Howe", date(2026, 4, 4), 11.5),
        ("Australia/Lord_Howe", date(2026, 10, 3), 10.5),
        ("Asia/Kathmandu", date(2026, 3, 7), 11),
    ],
)
def test_the_night_is_as_long_as_the_clock_makes_it(zone: str, day: date, hours: float) -> None:
    evening = datetime.combine(day, time(21), ZoneInfo(zone)).astimezone(UTC)
    assert end_of_quiet_hours(evening, ZoneInfo(zone)) == evening + timedelta(hours=hours)


def test_a_bound_that_the_clock_jumps_over_is_the_jump() -> None:
    zone = ZoneInfo("America/New_York")
    night = datetime(2026, 3, 8, 5, 0, tzinfo=UTC)  # midnight; at 7:00 UTC 2:00 becomes 3:00
    assert end_of_quiet_hours(night, zone, time(21), time(2, 30)) == night.replace(hour=7)


def test_a_bound_that_the_clock_shows_twice_ends_with_the_second() -> None:
    zone = ZoneInfo("America/New_York")
    night = datetime(2026, 11, 1, 4, 0, tzinfo=UTC)  # at 6:00 UTC 2:00 becomes 1:00
    second = datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    assert end_of_quiet_hours(night, zone, time(21), time(1, 30)) == second


def test_equal_bounds_mean_no_quiet_hours() -> None:
    night = datetime(2026, 3, 8, 5, 0, tzinfo=UTC)
    assert end_of_quiet_hours(night, ZONES[0], time(0), time(0)) is None


def test_the_first_second_is_quiet_and_the_last_is_not() -> None:
    zone = ZoneInfo("Europe/Berlin")
    evening = datetime(2026, 6, 1, 21, 0, tzinfo=zone)
    morning = datetime(2026, 6, 2, 8, 0, tzinfo=zone)
    assert end_of_quiet_hours(evening, zone) == morning
    assert end_of_quiet_hours(evening - timedelta(seconds=1), zone) is None
    assert end_of_quiet_hours(morning, zone) is None


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        end_of_quiet_hours(datetime(2026, 6, 1, 21, 0), ZONES[0])  # noqa: DTZ001


# One's own ---------------------------------------------------------------------------------------

BERLIN = ZoneInfo("Europe/Berlin")


@given(BOUNDS, BOUNDS, BOUNDS)
def test_a_time_is_inside_when_it_is_quiet_then(start: time, end: time, at: time) -> None:
    """On a day on which the clock runs evenly."""
    hours = QuietHours(start, end)
    moment = datetime.combine(date(2026, 2, 3), at, tzinfo=BERLIN)
    assert hours.holds(at) == (hours.end_after(moment, BERLIN) is not None)
    assert hours.holds(at) == wall_is_quiet(moment, BERLIN, start, end)
    assert timedelta(0) <= hours.length < timedelta(days=1)


def test_without_a_choice_they_are_those_of_everybody() -> None:
    assert QuietHours.of(None) == QuietHours(time(21), time(8))
    assert QuietHours.of(None).length == timedelta(hours=11)
    assert QuietHours.of([time(23), time(6)]) == QuietHours(time(23), time(6))
    assert QuietHours(time(17), time(9)).length == LONGEST


def test_none_at_all_is_never_quiet() -> None:
    hours = QuietHours(time(0), time(0))
    assert hours.length == timedelta(0)
    assert not any(hours.holds(time(hour)) for hour in range(24))


@pytest.mark.parametrize(
    ("now", "until"),
    [
        # Spring: 02:30 is never shown on 29 March; autumn: 02:30 is shown twice on 25 October.
        (datetime(2026, 3, 28, 23, 0, tzinfo=UTC), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), None),
        (datetime(2026, 10, 24, 22, 0, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
        (datetime(2026, 10, 25, 1, 29, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), None),
    ],
)
def test_bounds_on_both_jumps_of_the_clock(now: datetime, until: datetime | None) -> None:
    assert QuietHours(time(23), time(2, 30)).end_after(now, BERLIN) == until
