"""Planning a patient's sessions on a page: a series or one, moved or called off."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.test import Client

from backend.accounts.models import AuditEvent, Organisation
from backend.program.models import ProgramSession, SessionSeries
from tests.dashboard.browsing import browser_of, shown
from tests.people import People, make_tie
from tests.program.attending import in_programme, planned, recorded

# A Monday, eleven in the morning in New York; the clocks change on Sunday.
NOW = datetime(2026, 3, 2, 16, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def desk(people: People) -> Client:
    in_programme(people.patient, now=NOW)
    return browser_of(people.therapist.user)


def path(people: People, rest: str = "") -> str:
    return f"/desk/patients/{people.patient.pk}/sessions{rest}"


def form(**items: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "kind": "group",
        "at": "18:00",
        "minutes": "180",
        "repeat": "weekly",
        "weekdays": ["MO", "WE"],
        "first_on": "2026-03-03",
        "last_on": "2026-03-11",
        **items,
    }


def page(browser: Client, people: People) -> str:
    response = browser.get(path(people))
    assert response.status_code == 200
    return " ".join(unescape(shown(response)).split())


def starts() -> list[str]:
    rows = ProgramSession.objects.filter(cancelled_at=None).order_by("starts_at")
    return [f"{row.starts_at:%m-%d %H:%M}" for row in rows]


# Planning ----------------------------------------------------------------------------------------


def test_a_series_is_planned_once_on_the_clock_of_the_programme(
    people: People, desk: Client
) -> None:
    sent = form()
    for _ in range(2):
        answer = desk.post(path(people), sent)
        assert (answer.status_code, answer["Location"]) == (302, path(people))
    assert starts() == ["03-04 23:00", "03-09 22:00", "03-11 22:00"]
    assert SessionSeries.objects.get().rule == "FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20260311"
    assert AuditEvent.objects.filter(action="session_series.plan").count() == 1
    text = page(desk, people)
    assert (
        "Saved: 3 sessions." in text and "3 sessions are planned, the last one on Mar 11." in text
    )
    assert "This week" in text and "Next week" in text and "Wed, Mar 4" in text


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ({"repeat": "once"}, ["03-03 23:00"]),
        ({"repeat": "once", "last_on": "", "weekdays": []}, ["03-03 23:00"]),
        ({"weekdays": []}, ["03-03 23:00", "03-10 22:00"]),
        ({"repeat": "fortnightly", "weekdays": [], "last_on": "2026-03-31"},
         ["03-03 23:00", "03-17 22:00", "03-31 22:00"]),
    ],
)  # fmt: skip
def test_once_every_week_and_every_second_one(
    people: People, desk: Client, items: dict[str, Any], expected: list[str]
) -> None:
    assert desk.post(path(people), form(**items)).status_code == 302
    assert starts() == expected


@pytest.mark.parametrize(
    ("items", "field", "words"),
    [
        ({"kind": "party"}, "kind-problem", "Please say which kind."),
        ({"at": "late"}, "at-problem", "Please choose a time."),
        ({"minutes": "4"}, "minutes-problem", "from 5 to 720 minutes"),
        ({"minutes": "x"}, "minutes-problem", "from 5 to 720 minutes"),
        ({"repeat": ""}, "repeat-problem", "Please say how often."),
        ({"first_on": ""}, "first-problem", "Please choose a day."),
        ({"last_on": "2026-03-01"}, "last-problem", "not before the first"),
        ({"last_on": ""}, "last-problem", "not before the first"),
        ({"last_on": "2029-03-01"}, "last-problem", "up to 200 sessions"),
        ({"first_on": "2029-03-01", "repeat": "once"}, "first-problem", "two years"),
        ({"first_on": "2025-03-03"}, "first-problem", "No episode of care covers this day."),
    ],
)
def test_what_cannot_be_planned_is_said_beside_its_field_and_kept(
    people: People, desk: Client, items: dict[str, Any], field: str, words: str
) -> None:
    answer = desk.post(path(people), form(**items))
    text = unescape(shown(answer))
    assert answer.status_code in (400, 409)
    assert words in text.partition(f'id="{field}">')[2].partition("</span>")[0]
    assert 'name="weekdays" value="MO" checked' in text
    assert not ProgramSession.objects.exists()


def test_nothing_is_planned_for_who_is_in_no_programme(people: People) -> None:
    answer = browser_of(people.therapist.user).post(path(people), form())
    assert answer.status_code == 409
    assert "No episode of care covers this day." in shown(answer)


def test_an_id_that_is_taken_plans_nothing(people: People, desk: Client) -> None:
    sent = form()
    desk.post(path(people), sent)
    assert desk.post(path(people), {**sent, "at": "09:00"}).status_code == 409
    assert desk.post(path(people), form(id="7")).status_code == 400
    assert len(starts()) == 3


# One of them --------------------------------------------------------------------------------------


def test_one_is_moved_once_and_nobody_misses_the_old_one(people: People, desk: Client) -> None:
    desk.post(path(people), form())
    first = ProgramSession.objects.order_by("starts_at")[0]
    sent = {"id": str(uuid4()), "day": "2026-03-05", "clock": "09:30"}
    for _ in range(2):
        answer = desk.post(path(people, f"/{first.pk}/move"), sent)
        assert answer.status_code == 302
        assert answer["Location"].endswith(f"#session-{sent['id']}")
    assert starts() == ["03-05 14:30", "03-09 22:00", "03-11 22:00"]
    first.refresh_from_db()
    assert first.cancelled_at == NOW
    moved = ProgramSession.objects.get(pk=sent["id"])
    assert (moved.kind, moved.duration_minutes, moved.series_id) == (
        first.kind, first.duration_minutes, first.series_id,
    )  # fmt: skip
    act = AuditEvent.objects.get(action="session.move")
    assert (act.object_id, act.facts["moved_from"]) == (str(moved.pk), str(first.pk))
    text = page(desk, people)
    assert "called off" in text and "Thu, Mar 5" in text


def test_one_is_called_off_once_and_stays_in_sight(people: People, desk: Client) -> None:
    row = planned(people.patient, NOW + DAY, now=NOW)
    for _ in range(2):
        assert desk.post(path(people, f"/{row.pk}/call-off")).status_code == 302
    assert AuditEvent.objects.filter(action="session.cancel").count() == 1
    text = page(desk, people)
    assert "called off" in text and "No session is planned." in text
    assert "Move or call off" not in text


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ({"day": ""}, "Please choose a day and a time."),
        ({"clock": "25:00"}, "Please choose a day and a time."),
        ({"id": "7"}, "Please load the page again."),
        ({"day": "2025-01-01"}, "No episode of care covers this day."),
        ({"day": "2031-01-01"}, "more than two years away"),
    ],
)
def test_a_move_that_cannot_be_says_so_and_changes_nothing(
    people: People, desk: Client, items: dict[str, str], words: str
) -> None:
    row = planned(people.patient, NOW + DAY, now=NOW)
    sent = {"id": str(uuid4()), "day": "2026-03-05", "clock": "09:30", **items}
    answer = desk.post(path(people, f"/{row.pk}/move"), sent)
    assert answer.status_code in (400, 409)
    assert words in unescape(shown(answer)) and f'id="problem-{row.pk}"' in shown(answer)
    assert starts() == ["03-03 16:00"]


def test_what_somebody_recorded_or_called_off_is_neither_moved_nor_called_off(
    people: People, desk: Client
) -> None:
    kept = planned(people.patient, NOW - timedelta(hours=2), now=NOW)
    recorded(kept, "attended", now=NOW)
    off = planned(people.patient, NOW + DAY, now=NOW)
    ProgramSession.objects.filter(pk=off.pk).update(cancelled_at=NOW)
    sent = {"id": str(uuid4()), "day": "2026-03-05", "clock": "09:30"}
    for row in (kept, off):
        assert desk.post(path(people, f"/{row.pk}/move"), sent).status_code == 409
    assert desk.post(path(people, f"/{kept.pk}/call-off")).status_code == 409
    assert ProgramSession.objects.count() == 2


def test_a_move_to_the_time_it_has_changes_nothing(people: People, desk: Client) -> None:
    row = planned(people.patient, NOW + DAY, now=NOW)
    sent = {"id": str(uuid4()), "day": "2026-03-03", "clock": "11:00"}
    assert desk.post(path(people, f"/{row.pk}/move"), sent).status_code == 302
    assert ProgramSession.objects.get().cancelled_at is None


def test_a_holiday_is_told_beside_the_session(people: People, desk: Client) -> None:
    planned(people.patient, NOW + DAY, now=NOW)
    holidays = {"holidays": {"2026-03-03": "Founders' Day"}}
    Organisation.objects.filter(pk=people.organisation.pk).update(monitoring_hours=holidays)
    assert "Holiday: Founders' Day" in page(desk, people)


# Who may ------------------------------------------------------------------------------------------


def test_who_does_not_care_for_them_sees_and_plans_nothing(people: People, desk: Client) -> None:
    row = planned(people.patient, NOW + DAY, now=NOW)
    make_tie(people.other_patient, people.stranger)
    sent = {"id": str(uuid4()), "day": "2026-03-05", "clock": "09:30"}
    for clinician in (people.stranger, people.elsewhere_therapist):
        browser = browser_of(clinician.user)
        assert browser.get(path(people)).status_code == 404
        assert browser.post(path(people), form()).status_code == 404
        for rest in (f"/{row.pk}/move", f"/{row.pk}/call-off"):
            assert browser.post(path(people, rest), sent).status_code == 404
            other = path(people, rest).replace(str(people.patient.pk), str(people.other_patient.pk))
            assert browser.post(other, sent).status_code == 404
    for user in (people.administrator.user, people.patient_user):
        assert browser_of(user).post(path(people), form())["Location"].startswith("/desk/sign-in")
    assert starts() == ["03-03 16:00"]


def test_the_reading_leaves_a_row(people: People, desk: Client) -> None:
    page(desk, people)
    read = AuditEvent.objects.filter(action="sessions.read", patient_id=people.patient.pk)
    assert [row.actor_id for row in read] == [people.therapist.user_id]


def test_a_form_without_its_token_is_refused(people: People, desk: Client) -> None:
    row = planned(people.patient, NOW + DAY, now=NOW)
    browser = Client(enforce_csrf_checks=True)
    browser.cookies = desk.cookies
    for rest in ("", f"/{row.pk}/move", f"/{row.pk}/call-off"):
        assert browser.post(path(people, rest), form()).status_code == 403
    assert starts() == ["03-03 16:00"]
