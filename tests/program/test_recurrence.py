"""Weekly series on the wall clock, and every rule that is refused."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from backend.program.recurrence import MOST_SESSIONS, UnusableRuleError, occurrences

NEW_YORK = ZoneInfo("America/New_York")
MONDAY = date(2026, 3, 2)


def starts(rule: str, *, first_on: date = MONDAY, at: time = time(18)) -> list[datetime]:
    return occurrences(rule, first_on=first_on, at=at, zone=NEW_YORK)


def test_it_stays_at_six_when_the_clocks_change() -> None:
    found = starts("FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20260316")
    local = [start.astimezone(NEW_YORK) for start in found]
    assert [at.strftime("%a %d %H:%M") for at in local] == [
        "Mon 02 18:00", "Wed 04 18:00", "Mon 09 18:00", "Wed 11 18:00", "Mon 16 18:00",
    ]  # fmt: skip
    assert [start.hour for start in found] == [23, 23, 22, 22, 22]
    assert {start.utcoffset() for start in found} == {found[0] - found[0]}


def test_a_time_that_the_change_skips_is_an_hour_later() -> None:
    (start,) = starts("FREQ=WEEKLY;COUNT=1", first_on=date(2026, 3, 8), at=time(2, 30))
    assert start.astimezone(NEW_YORK).strftime("%d %H:%M") == "08 03:30"


def test_every_second_week_counts_from_the_first() -> None:
    found = starts("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU;COUNT=3", first_on=date(2026, 5, 5))
    assert [start.date() for start in found] == [
        date(2026, 5, 5), date(2026, 5, 19), date(2026, 6, 2),
    ]  # fmt: skip


def test_as_many_as_may_be_and_not_one_more() -> None:
    every_day = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;COUNT="
    assert len(starts(every_day + str(MOST_SESSIONS))) == MOST_SESSIONS
    with pytest.raises(UnusableRuleError):
        starts(every_day + str(MOST_SESSIONS + 1))


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "FREQ=WEEKLY",
        "COUNT=3",
        "FREQ=DAILY;COUNT=3",
        "FREQ=SECONDLY;COUNT=3",
        "FREQ=WEEKLY;COUNT=3;UNTIL=20260601",
        "FREQ=WEEKLY;COUNT=0",
        "FREQ=WEEKLY;COUNT=-1",
        "FREQ=WEEKLY;COUNT=3;COUNT=4",
        "FREQ=WEEKLY;BYDAY=1MO;COUNT=3",
        "FREQ=WEEKLY;BYDAY=;COUNT=3",
        "FREQ=WEEKLY;BYMONTHDAY=31;COUNT=3",
        "FREQ=WEEKLY;UNTIL=20261340",
        "FREQ=WEEKLY;UNTIL=99991231",
        "FREQ=WEEKLY;UNTIL=20260101",
        "FREQ=WEEKLY;INTERVAL=8;COUNT=20",
        "RRULE:FREQ=WEEKLY;COUNT=3",
        "FREQ=WEEKLY;COUNT=3\n",
        "FREQ=WEEKLY;COUNT=٣",
    ],
)
def test_what_is_no_weekly_rule_with_an_end_is_refused(rule: str) -> None:
    with pytest.raises(UnusableRuleError):
        starts(rule)
