"""Who is on call, on pages: planned by administrators, read by clinicians, gaps in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any
from uuid import UUID, uuid4

import pytest
import time_machine
from django.test import Client

from backend.accounts.actor import Role
from backend.accounts.models import AuditEvent, Clinician, ClinicianRole, Organisation
from backend.aftercare.models import OnCallShift
from backend.dashboard.rota_page import DAYS
from tests.dashboard.browsing import browser_of, shown
from tests.people import People, make_clinician, make_user

# A Monday, eleven in the morning in New York, where Riverside is; the clocks change on Sunday.
NOW = datetime(2026, 3, 2, 16, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PATH = "/administrator/on-call"
FOREIGN = "/administrator/on-call/shifts/{}/take-back"


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def office(people: People) -> Client:
    return browser_of(people.administrator.user)


@pytest.fixture
def ned(people: People) -> Clinician:
    return make_clinician(people.organisation, "ned", ClinicianRole.ON_CALL)


def shift(clinician: Clinician, starts_at: datetime, lasts: timedelta) -> OnCallShift:
    return OnCallShift.objects.create(
        organisation=clinician.organisation,
        clinician=clinician,
        starts_at=starts_at,
        ends_at=starts_at + lasts,
        created_at=NOW,
    )


def form(clinician: Clinician, /, **items: str) -> dict[str, str]:
    times = {"starts": "2026-03-03T20:00", "ends": "2026-03-04T08:00"}
    return {"id": str(uuid4()), "clinician": str(clinician.pk), **times, "days": "1", **items}


def page(browser: Client, path: str = PATH) -> str:
    response = browser.get(path)
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    text = unescape(shown(response))
    return " ".join(text[text.index("<main") :].split())


def stored() -> list[tuple[str, str]]:
    rows = OnCallShift.objects.order_by("starts_at").values_list("starts_at", "ends_at")
    return [(f"{first:%m-%d %H:%M}", f"{last:%m-%d %H:%M}") for first, last in rows]


# What it shows -----------------------------------------------------------------------------------


def test_a_gap_is_told_in_words_with_a_way_to_fill_it(
    people: People, office: Client, ned: Clinician
) -> None:
    shift(ned, NOW - HOUR, 9 * HOUR)
    shift(people.on_call, NOW + 20 * HOUR, 6 * DAY)
    text = page(office)
    assert "On call now: Ned." in text
    assert "1 gap in the next 14 days: nobody is on call then." in text
    assert "Mon, Mar 2, 19:00 to Tue, Mar 3, 07:00" in text
    assert text.count("Gap: nobody") == 2  # the evening, and the night after midnight
    assert "?starts=2026-03-02T19:00&ends=2026-03-03T07:00#add" in text
    filled = page(office, f"{PATH}?starts=2026-03-02T19:00&ends=2026-03-03T07:00")
    assert 'name="starts" type="datetime-local" required value="2026-03-02T19:00"' in filled
    assert 'name="ends" type="datetime-local" required value="2026-03-03T07:00"' in filled


def test_after_the_last_shift_and_before_the_first_is_no_gap(
    people: People, office: Client, ned: Clinician
) -> None:
    shift(ned, NOW + DAY, DAY)
    text = page(office)
    assert "There is no rota now, so everybody with the role is on call: Dana, Ned." in text
    assert "No gap in the next 14 days." in text
    assert "Gap: nobody" not in text
    assert text.count("No rota: everybody with the role") > 2


def test_a_hole_that_goes_on_beyond_the_page_is_a_gap(
    people: People, office: Client, ned: Clinician
) -> None:
    shift(ned, NOW - HOUR, DAY)
    shift(ned, NOW + 20 * DAY, DAY)
    assert "1 gap in the next 14 days" in page(office)


def test_each_day_is_whole_also_when_the_clocks_change(office: Client, ned: Clinician) -> None:
    shift(ned, NOW - HOUR, 7 * DAY)
    shift(ned, NOW + 6 * DAY, 7 * DAY)
    text = page(office)
    assert text.count('<li class="rota-day') == DAYS
    assert text.count('viewBox="0 0 288 10"') == DAYS - 1
    assert text.count('viewBox="0 0 276 10"') == 1
    assert "No gap in the next 14 days." in text


def test_a_shift_is_taken_back_from_one_place(office: Client, ned: Clinician) -> None:
    shift(ned, NOW + DAY, 3 * DAY)
    assert page(office).count("/take-back") == 1


def test_another_organisations_shifts_and_people_are_not_on_it(
    people: People, office: Client
) -> None:
    theirs = people.elsewhere_therapist
    Clinician.objects.filter(pk=theirs.pk).update(roles=["on_call"])
    shift(theirs, NOW - HOUR, DAY)
    text = page(office)
    assert theirs.display_name not in text
    assert str(theirs.pk) not in text


def test_clinicians_read_it_and_the_ladder_and_change_nothing(
    people: People, ned: Clinician
) -> None:
    shift(ned, NOW - HOUR, DAY)
    text = page(browser_of(people.therapist.user), "/desk/on-call")
    assert "On call now: Ned." in text
    assert "The patient's care team" in text and "A clinical supervisor" in text
    assert "<form" not in text and "Fill it" not in text


# Putting somebody on call -------------------------------------------------------------------------


def test_a_shift_is_stored_once_however_often_it_is_sent(office: Client, ned: Clinician) -> None:
    sent = form(ned)
    for _ in range(2):
        answer = office.post(PATH, sent)
        assert (answer.status_code, answer["Location"]) == (302, PATH)
    assert stored() == [("03-04 01:00", "03-04 13:00")]
    assert AuditEvent.objects.filter(action="on_call_shift.add").count() == 1
    assert "Saved: Ned has 1 shift more." in page(office)


def test_the_same_times_on_several_days_on_the_clock_of_the_organisation(
    office: Client, ned: Clinician
) -> None:
    """The clocks go forward in the night to the 8th."""
    sent = form(ned, starts="2026-03-06T20:00", ends="2026-03-07T08:00", days="3")
    for _ in range(2):
        assert office.post(PATH, sent).status_code == 302
    assert stored() == [
        ("03-07 01:00", "03-07 13:00"),
        ("03-08 01:00", "03-08 12:00"),
        ("03-09 00:00", "03-09 12:00"),
    ]


@pytest.mark.parametrize(
    ("items", "field", "words"),
    [
        ({"clinician": ""}, "clinician", "Please say who."),
        ({"clinician": "7"}, "clinician", "Please say who."),
        ({"starts": "soon"}, "starts", "Please choose a day and a time."),
        ({"ends": ""}, "ends", "Please choose a day and a time."),
        ({"ends": "2026-03-03T19:00"}, "ends", "It ends before it begins."),
        ({"ends": "2026-03-13T08:00"}, "ends", "A shift is a week at most."),
        ({"starts": "2026-02-01T08:00", "ends": "2026-02-01T09:00"}, "ends", "This is over"),
        ({"days": "0"}, "days", "from 1 to 14"),
        ({"days": "15"}, "days", "from 1 to 14"),
        ({"days": "\u0661"}, "days", "from 1 to 14"),
    ],
)
def test_what_cannot_be_meant_is_said_beside_its_field_and_kept(
    office: Client, ned: Clinician, items: dict[str, str], field: str, words: str
) -> None:
    answer = office.post(PATH, form(ned, **items))
    text = unescape(shown(answer))
    assert answer.status_code == 400
    part = text.partition(f'id="{field}-problem">')[2].partition("</span>")[0]
    assert words in part
    assert f'aria-describedby="{field}-problem"' in text or f" {field}-problem" in text
    assert 'role="alert"' in text
    assert not OnCallShift.objects.exists()


def test_of_several_days_none_is_stored_when_one_cannot_be(office: Client, ned: Clinician) -> None:
    sent = form(ned, starts="2027-03-02T08:00", ends="2027-03-02T20:00", days="5")
    assert office.post(PATH, sent).status_code == 400
    assert not OnCallShift.objects.exists()
    assert not AuditEvent.objects.filter(action="on_call_shift.add").exists()


def test_who_may_not_see_patients_cannot_be_put_on_call(people: People, office: Client) -> None:
    for clinician in (people.therapist, people.elsewhere_therapist):
        answer = office.post(PATH, form(clinician))
        assert answer.status_code == 400
        assert 'id="clinician-problem"' in shown(answer)
    assert not OnCallShift.objects.exists()


def test_an_id_that_stands_for_something_else_is_refused_kindly(
    people: People, office: Client, ned: Clinician
) -> None:
    sent = form(ned)
    office.post(PATH, sent)
    other = office.post(PATH, {**sent, "ends": "2026-03-04T09:00"})
    assert other.status_code == 409
    assert 'value="2026-03-04T09:00"' in shown(other)
    office.post(FOREIGN.format(sent["id"]))
    assert office.post(PATH, sent).status_code == 410
    assert stored() == [("03-04 01:00", "03-04 13:00")]


# Taking it back -----------------------------------------------------------------------------------


def test_taken_back_once_however_often_it_is_sent(office: Client, ned: Clinician) -> None:
    row = shift(ned, NOW - HOUR, DAY)
    for _ in range(2):
        assert office.post(FOREIGN.format(row.pk)).status_code == 302
    row.refresh_from_db()
    assert row.cancelled_at == NOW
    assert AuditEvent.objects.filter(action="on_call_shift.cancel").count() == 1
    assert "the shift was taken back" in page(office)


def test_another_organisations_shift_is_not_there(people: People, office: Client) -> None:
    row = shift(people.elsewhere_therapist, NOW, DAY)
    assert office.post(FOREIGN.format(row.pk)).status_code == 404
    assert office.post(FOREIGN.format(uuid4())).status_code == 404
    row.refresh_from_db()
    assert row.cancelled_at is None


# Holidays -----------------------------------------------------------------------------------------


def holidays_of(people: People) -> dict[str, str]:
    organisation = Organisation.objects.get(pk=people.organisation.pk)
    found: dict[str, str] = organisation.monitoring_hours.get("holidays", {})
    return found


def test_a_holiday_is_added_and_taken_away_and_the_others_stay(
    people: People, office: Client
) -> None:
    path = f"{PATH}/holidays"
    for on, name in (("2026-03-05", "Founders' Day"), ("2026-12-25", "Christmas Day")):
        for _ in range(2):
            assert office.post(path, {"on": on, "name": name}).status_code == 302
    assert holidays_of(people) == {"2026-03-05": "Founders' Day", "2026-12-25": "Christmas Day"}
    text = page(office)
    assert "Holiday: Founders' Day" in text and "Friday, December 25, 2026" in text
    for _ in range(2):
        assert office.post(path, {"on": "2026-03-05", "remove": "1"}).status_code == 302
    assert holidays_of(people) == {"2026-12-25": "Christmas Day"}
    assert AuditEvent.objects.filter(action="organisation.set_holidays").count() == 3


@pytest.mark.parametrize("sent", [{"on": "", "name": "A"}, {"on": "2026-03-05", "name": " "}])
def test_a_holiday_without_a_day_or_a_name_is_not_kept(
    people: People, office: Client, sent: dict[str, str]
) -> None:
    answer = office.post(f"{PATH}/holidays", sent)
    assert answer.status_code == 400
    assert 'id="holiday-problem"' in shown(answer)
    assert holidays_of(people) == {}


# Who may ------------------------------------------------------------------------------------------


def test_nobody_else_plans_or_sees_it(people: People, ned: Clinician) -> None:
    row = shift(ned, NOW, DAY)
    calls: list[tuple[str, dict[str, Any]]] = [
        (PATH, form(ned)),
        (FOREIGN.format(row.pk), {}),
        (f"{PATH}/holidays", {"on": "2026-03-05", "name": "A"}),
    ]
    users = (people.therapist.user, people.supervisor.user, people.patient_user)
    for user in (*users, make_user("oli", Role.OPERATOR)):
        browser = browser_of(user)
        assert browser.get(PATH)["Location"].startswith("/desk/sign-in")
        for path, sent in calls:
            assert browser.post(path, sent)["Location"].startswith("/desk/sign-in")
    assert OnCallShift.objects.get().cancelled_at is None
    assert holidays_of(people) == {}


def test_a_form_without_its_token_is_refused(people: People, ned: Clinician) -> None:
    row = shift(ned, NOW, DAY)
    browser = Client(enforce_csrf_checks=True)
    browser.cookies = browser_of(people.administrator.user).cookies
    for path in (PATH, FOREIGN.format(row.pk), f"{PATH}/holidays"):
        answer = browser.post(path, form(ned))
        assert answer.status_code == 403
        assert "This page was open for too long." in shown(answer)
    assert [one.cancelled_at for one in OnCallShift.objects.all()] == [None]


def test_after_a_quarter_of_an_hour_of_rest_nothing_is_stored(
    people: People, office: Client, ned: Clinician
) -> None:
    with time_machine.travel(NOW + timedelta(minutes=16), tick=False):
        answer = office.post(PATH, form(ned))
    assert answer["Location"].startswith("/desk/sign-in")
    assert not OnCallShift.objects.exists()


def test_spanish(people: People, office: Client, ned: Clinician) -> None:
    office.post("/desk/language", {"language": "es", "next": PATH})
    shift(ned, NOW - HOUR, 9 * HOUR)
    shift(ned, NOW + 20 * HOUR, DAY)
    text = page(office)
    assert "1 hueco en los próximos 14 días" in text and "lun 2 mar" in text
    assert UUID(str(ned.pk)) and date(2026, 3, 2).isoformat() in text
