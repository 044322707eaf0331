"""The monitoring promise says what is true, and never that somebody watches when nobody does."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.aftercare.models import Alert
from backend.aftercare.monitoring_hours import is_open, spans, working_deadline
from backend.aftercare.promise import Promise, monitoring_promise
from backend.notifications.services import beat
from tests.aftercare.reporting import NOON, report
from tests.people import People, make_device

NEW_YORK = ZoneInfo("America/New_York")
OFFICE = {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
SUNDAY = datetime(2026, 3, 8, 20, 0, tzinfo=UTC)


def promise(people: People, alert: Alert | None, *, now=NOON, language="en") -> Promise:
    return monitoring_promise(
        people.patient, alert=alert, is_late=False, language=language, now=now
    )


@pytest.fixture
def reachable(people: People) -> None:
    make_device(people.therapist.user)
    beat(process="relay", now=NOON)


def craving(people: People) -> Alert | None:
    return report(people, craving=9).alert


def test_in_working_hours_it_names_who_and_by_when(people: People, reachable: None):
    said = promise(people, craving(people))
    assert said.told is True
    assert "Bob" in said.statement
    assert said.expected_by == NOON + timedelta(hours=4)
    assert "4:00 PM." in said.statement


def test_outside_working_hours_it_says_that_nobody_may_see_it_before(
    people: People, reachable: None
):
    beat(process="relay", now=SUNDAY)
    said = promise(people, craving(people), now=SUNDAY)
    assert "not working at this hour" in said.statement
    assert said.expected_by == datetime(2026, 3, 9, 17, 0, tzinfo=UTC)
    assert "Monday, 1:00 PM." in said.statement


@pytest.mark.parametrize("missing", ["phone", "relay", "care team", "hours"])
def test_whatever_is_missing_nobody_has_been_told(missing: str, people: People):
    if missing != "phone":
        make_device(people.therapist.user)
    if missing != "relay":
        beat(process="relay", now=NOON)
    if missing == "care team":
        people.patient.care_team.all().delete()
        for clinician in (people.on_call, people.supervisor):
            clinician.roles = []
            clinician.save()
    if missing == "hours":
        people.patient.organisation.monitoring_hours = {}
    said = promise(people, craving(people))
    assert (said.told, said.expected_by) == (False, None)
    assert "obody has been told" in said.statement


def test_a_relay_that_stopped_beating_is_a_relay_that_is_gone(people: People, reachable: None):
    alert = craving(people)
    said = promise(people, alert, now=NOON + timedelta(minutes=5))
    assert said.told is False


def test_a_calm_check_in_says_when_it_is_read_and_that_nobody_watches(people: People):
    said = promise(people, None)
    assert said.told is False
    assert "Nobody is watching" in said.statement


def test_a_medium_alert_promises_no_more_than_a_calm_day(people: People, reachable: None):
    said = promise(people, report(people, confidence=2).alert)
    assert said.told is False
    assert "Nobody is watching" in said.statement


def test_in_spanish(people: People, reachable: None):
    assert "Va en camino un aviso" in promise(people, craving(people), language="es").statement


def test_a_deadline_never_counts_hours_in_which_nobody_works():
    near_closing = datetime(2026, 3, 6, 21, 30, tzinfo=UTC)  # Friday, 16:30 in New York
    found = working_deadline(OFFICE, NEW_YORK, now=near_closing, within=timedelta(hours=4))
    assert found == datetime(2026, 3, 9, 16, 30, tzinfo=UTC)  # Monday 12:30, an hour on


def test_a_span_over_midnight_is_two_spans_and_24_00_is_the_days_end():
    hours = {"fri": [["18:00", "24:00"]], "sat": [["00:00", "06:00"]]}
    late = datetime(2026, 3, 7, 6, 0, tzinfo=UTC)  # Saturday, 01:00 in New York
    assert is_open(hours, NEW_YORK, now=late)
    assert not is_open(hours, NEW_YORK, now=late + timedelta(hours=6))


@given(st.integers(0, 275 * 24 * 60))
def test_open_means_that_the_local_clock_stands_in_a_span(minutes: int):
    now = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    local = now.astimezone(NEW_YORK)
    expected = local.weekday() < 5 and 9 <= local.hour < 17
    assert is_open(OFFICE, NEW_YORK, now=now) is expected


def test_spans_are_eight_hours_long_in_the_weeks_the_clock_changes():
    for since in (date(2026, 3, 6), date(2026, 10, 30)):
        assert {end - start for start, end in spans(OFFICE, NEW_YORK, since=since)} == {
            timedelta(hours=8)
        }
