"""Right at every minute: a week around each DST change, holidays, nights, in several zones.

The other side of each comparison walks minute by minute and looks at the clock on the wall.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from backend.aftercare.models import Alert
from backend.aftercare.monitoring_hours import WEEKDAYS, is_open, next_closing, working_deadline
from backend.aftercare.promise import monitoring_promise
from backend.notifications.services import beat
from tests.aftercare.reporting import NOON, report
from tests.people import People, make_device
from tests.phones import Phone

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
WEEKS = (
    ("America/New_York", date(2026, 3, 8)),
    ("America/New_York", date(2026, 11, 1)),
    ("Europe/London", date(2026, 3, 29)),
    ("Europe/London", date(2026, 10, 25)),
    ("America/St_Johns", date(2026, 11, 1)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("Asia/Beirut", date(2026, 10, 25)),
    ("America/Santiago", date(2026, 9, 6)),
    ("Asia/Kathmandu", date(2026, 5, 3)),
)
OFFICE = {day: [["09:00", "17:00"]] for day in WEEKDAYS[:5]}
# With a night that ends in the hour that a change of the clocks takes away or gives twice.
AROUND_THE_CLOCK = {
    **{day: [["00:00", "02:15"], ["08:00", "12:00"], ["13:30", "24:00"]] for day in WEEKDAYS},
    "sun": [["00:00", "00:30"], ["01:30", "02:30"], ["10:00", "11:00"]],
}


@cache
def staffed(name: str, change: date, which: str) -> dict[datetime, bool]:
    """For every minute of the ten days around the change whether somebody is there."""
    hours: Any = {"office": OFFICE, "nights": AROUND_THE_CLOCK}[which]
    holidays = {change - 3 * DAY, change + 2 * DAY}
    zone = ZoneInfo(name)
    moment = datetime.combine(change - 6 * DAY, time(0), tzinfo=UTC)
    reached: dict[tuple[date, str], bool] = {}
    found: dict[datetime, bool] = {}
    while moment < datetime.combine(change + 8 * DAY, time(0), tzinfo=UTC):
        wall = moment.astimezone(zone)
        here = False
        for back in (0, 1):
            day = wall.date() - back * DAY
            if day in holidays:
                continue
            for start, end in hours.get(WEEKDAYS[day.weekday()], []):
                # Once the wall has shown a bound, it has been passed, whatever it shows later.
                for bound in (start, end):
                    shown = back == 1 or wall.strftime("%H:%M") >= bound
                    reached[day, bound] = reached.get((day, bound), False) or shown
                here = here or (reached[day, start] and not reached[day, end] and end != "24:00")
                here = here or (reached[day, start] and end == "24:00" and back == 0)
        found[moment] = here
        moment += MINUTE
    return found


def with_holidays(hours: dict[str, Any], change: date) -> dict[str, Any]:
    days = (change - 3 * DAY, change + 2 * DAY)
    return {**hours, "holidays": {day.isoformat(): "A day off" for day in days}}


@pytest.mark.parametrize("which", ["office", "nights"])
@pytest.mark.parametrize(("name", "change"), WEEKS)
def test_open_at_every_minute_of_the_week(name: str, change: date, which: str):
    hours = with_holidays({"office": OFFICE, "nights": AROUND_THE_CLOCK}[which], change)
    zone = ZoneInfo(name)
    expected = staffed(name, change, which)
    # From the second day on: the first one's evening began before the walk did.
    asked = [moment for moment in expected if moment.date() > change - 5 * DAY]
    wrong = [at for at in asked if is_open(hours, zone, now=at) is not expected[at]]
    assert wrong == []
    assert 0 < sum(expected.values()) < len(expected)


@pytest.mark.parametrize("which", ["office", "nights"])
@pytest.mark.parametrize(("name", "change"), WEEKS)
@pytest.mark.parametrize("within", [timedelta(minutes=15), timedelta(hours=4)])
def test_a_deadline_is_that_many_staffed_minutes_away(
    name: str, change: date, which: str, within: timedelta
):
    hours = with_holidays({"office": OFFICE, "nights": AROUND_THE_CLOCK}[which], change)
    expected = staffed(name, change, which)
    moments = sorted(expected)
    worked = [0]
    for moment in moments:
        worked.append(worked[-1] + expected[moment])
    zone, wanted = ZoneInfo(name), within // MINUTE
    for index in range(2 * 1440, 8 * 1440, 97):
        found = working_deadline(hours, zone, now=moments[index], within=within)
        assert found is not None
        at = (found - moments[0]) // MINUTE
        if at < len(moments):
            assert worked[at] - worked[index] == wanted
            assert expected[moments[at - 1]]


def test_the_next_closing_is_never_on_a_holiday():
    hours = with_holidays(OFFICE, date(2026, 3, 8))
    zone = ZoneInfo("America/New_York")
    friday_night = datetime(2026, 3, 7, 3, 0, tzinfo=UTC)
    found = next_closing(hours, zone, now=friday_night)
    assert found == datetime(2026, 3, 9, 21, 0, tzinfo=UTC)
    monday = next_closing(hours, zone, now=found)
    assert monday == datetime(2026, 3, 11, 21, 0, tzinfo=UTC)  # Tuesday is the day off


def test_three_weeks_closed_are_told_by_their_end_and_a_year_as_nobody():
    zone = ZoneInfo("UTC")
    closed = {(date(2026, 12, 20) + n * DAY).isoformat(): "New Year" for n in range(21)}
    now = datetime(2026, 12, 18, 20, 0, tzinfo=UTC)
    hours = {**OFFICE, "holidays": closed}
    assert next_closing(hours, zone, now=now) == datetime(2027, 1, 11, 17, 0, tzinfo=UTC)
    ever = {(date(2026, 12, 19) + n * DAY).isoformat(): "Closed" for n in range(365)}
    assert next_closing({**OFFICE, "holidays": ever}, zone, now=now) is None


def test_a_span_that_the_clock_jumps_over_is_none():
    hours = {"sun": [["02:10", "02:40"]]}
    zone = ZoneInfo("America/New_York")
    before = datetime(2026, 3, 8, 5, 0, tzinfo=UTC)
    assert next_closing(hours, zone, now=before) == datetime(2026, 3, 15, 6, 40, tzinfo=UTC)
    minutes = [before + n * MINUTE for n in range(240)]
    assert not any(is_open(hours, zone, now=at) for at in minutes)


# What is said and who sets it ---------------------------------------------------------------------


def craving(people: People) -> Alert | None:
    make_device(people.therapist.user)
    beat(process="relay", now=NOON)
    return report(people, craving=9).alert


def say(people: People, alert: Alert | None) -> Any:
    return monitoring_promise(people.patient, alert=alert, is_late=False, language="en", now=NOON)


def test_on_a_holiday_the_answer_says_that_nobody_works(people: People):
    alert = craving(people)
    organisation = people.patient.organisation
    organisation.monitoring_hours = {
        **organisation.monitoring_hours,
        "holidays": {"2026-03-04": "Founders' Day"},
    }
    said = say(people, alert)
    assert "not working at this hour" in said.statement
    assert said.expected_by == datetime(2026, 3, 5, 18, 0, tzinfo=UTC)


def test_an_administrator_names_the_holidays_and_a_check_in_is_answered_by_them(
    people: People, phone: Phone
):
    days = [{"on": "2026-12-25", "name": "Christmas Day"}, {"on": "2026-12-24", "name": "Eve"}]
    office = Phone.of(people.administrator.user)
    first = office.put("/holidays", {"holidays": days})
    assert first.status_code == 200
    assert first.json() == office.get("/holidays").json()
    assert [one["on"] for one in first.json()["holidays"]] == ["2026-12-24", "2026-12-25"]
    people.patient.organisation.refresh_from_db()
    hours = people.patient.organisation.monitoring_hours
    assert hours["holidays"] == {"2026-12-24": "Eve", "2026-12-25": "Christmas Day"}
    assert hours["mon"] == [["09:00", "17:00"]]
    office.put("/holidays", {"holidays": []})
    assert office.get("/holidays").json() == {"holidays": []}


def test_nobody_else_does_and_another_organisation_keeps_its_own(people: People, phone: Phone):
    for caller in (phone, Phone.of(people.therapist.user)):
        assert caller.put("/holidays", {"holidays": []}).status_code == 403
    office = Phone.of(people.administrator.user)
    office.put("/holidays", {"holidays": [{"on": "2026-12-25", "name": "Christmas Day"}]})
    people.elsewhere_patient.organisation.refresh_from_db()
    assert "holidays" not in people.elsewhere_patient.organisation.monitoring_hours


def test_a_day_named_twice_is_refused(people: People):
    day = {"on": "2026-12-25", "name": "Christmas Day"}
    office = Phone.of(people.administrator.user)
    refused = office.put("/holidays", {"holidays": [day, day]})
    assert refused.json()["errors"][0]["code"] == "contradiction"
