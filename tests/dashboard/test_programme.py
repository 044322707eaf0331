"""The programme on a patient's page: marks on the axis, recording who came, tests, the outlook."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from backend.accounts.models import AuditEvent, EmergencyAccess
from backend.program.models import Attendance, ProgramSession
from tests.dashboard.browsing import browser_of, shown
from tests.people import People, make_tie
from tests.phones import Phone, check_in_body
from tests.program.attending import attend, in_programme, kept, planned, took_test

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
HTMX = {"HX-Request": "true"}


@pytest.fixture
def desk(people: People) -> Client:
    return browser_of(people.therapist.user)


def page(desk: Client, people: People, query: str = "") -> str:
    return shown(desk.get(f"/desk/patients/{people.patient.pk}{query}"))


def form(session: ProgramSession, **items: str) -> tuple[str, dict[str, str]]:
    path = f"/desk/patients/{session.patient_id}/sessions/{session.pk}/attendance"
    return path, {"id": str(uuid4()), "status": "attended", **items}


def test_sessions_and_tests_stand_on_the_axis_and_are_told_in_words(
    people: People, desk: Client, phone: Phone
) -> None:
    phone.post("/check-ins", check_in_body(mood=6))
    in_programme(people.patient, now=NOW)
    for days, status in ((3, "attended"), (2, "missed"), (1, "excused")):
        kept(people.patient, NOW - days * DAY, status, at=NOW)
    took_test(people.patient, (NOW - 2 * DAY).date(), "positive", now=NOW)
    text = page(desk, people)
    for kind in ("attended", "missed", "excused", "positive"):
        assert f'class="mark mark-{kind}"' in text
    assert re.search(r'aria-label="Sessions: 1 Group, came; 1 Group, missed \(\w+ \d+\)', text)
    assert re.search(r'aria-label="Tests: 1 positive \(\w+ \d+\)"', text)
    assert "Group, missed" in text.partition('id="told"')[2]


def test_a_page_without_a_programme_says_nothing_of_one(people: People, desk: Client) -> None:
    text = page(desk, people)
    assert 'id="programme-title"' not in text
    assert "CTN-0094" not in text


def test_the_phase_the_next_session_and_the_results(people: People, desk: Client) -> None:
    attend(people.patient, now=NOW)
    text = page(desk, people)
    assert "Intensive outpatient, day 3" in text
    assert "Next: Group, " in text
    assert "stimulants" in text
    assert "came" in text and "not recorded yet" not in text


def test_who_came_is_recorded_on_the_page(people: People, desk: Client) -> None:
    in_programme(people.patient, now=NOW)
    session = planned(people.patient, NOW - DAY, now=NOW)
    assert "not recorded yet" in page(desk, people)
    path, sent = form(session, status="missed")
    for _ in range(2):
        answer = desk.post(path, sent)
        assert answer.status_code == 302
        assert answer["Location"].endswith(f"#session-{session.pk}")
    text = page(desk, people)
    assert "Saved: who came." in text and "Correct it" in text and "Bob" in text
    assert Attendance.objects.get().status == "missed"
    part = desk.post(*form(session, status="attended"), headers=HTMX)
    assert part.status_code == 200
    assert shown(part).startswith(f'<li class="session" id="session-{session.pk}">')
    assert "<html" not in shown(part)
    assert Attendance.objects.get(superseded_at=None).status == "attended"
    assert AuditEvent.objects.filter(action="attendance.record").count() == 2


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"status": ""}, "Please say whether they came."),
        ({"status": "late"}, "Please say whether they came."),
        ({"id": "7"}, "Please load the page again."),
    ],
)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_what_is_not_saved_says_so(
    people: People, desk: Client, sent: dict[str, str], words: str, headers: dict[str, str]
) -> None:
    in_programme(people.patient, now=NOW)
    session = planned(people.patient, NOW - DAY, now=NOW)
    answer: Any = desk.post(*form(session, **sent), headers=headers)
    assert answer.status_code == 400
    assert words in shown(answer) and 'role="alert"' in shown(answer)
    assert ("<html" in shown(answer)) is (not headers)
    assert not Attendance.objects.exists()


def test_what_has_not_begun_or_was_called_off_cannot_be_attended(
    people: People, desk: Client
) -> None:
    in_programme(people.patient, now=NOW)
    coming = planned(people.patient, NOW + DAY, now=NOW)
    assert desk.post(*form(coming)).status_code == 409
    assert desk.post(*form(coming, status="excused")).status_code == 302
    off = planned(people.patient, NOW - DAY, now=NOW)
    ProgramSession.objects.filter(pk=off.pk).update(cancelled_at=NOW)
    assert desk.post(*form(off)).status_code == 409
    text = page(desk, people)
    assert "called off" in text
    assert f'hx-target="#session-{off.pk}"' not in text


def test_who_does_not_care_for_them_records_nothing(people: People) -> None:
    in_programme(people.patient, now=NOW)
    session = planned(people.patient, NOW - DAY, now=NOW)
    stranger = browser_of(people.stranger.user)
    assert stranger.post(*form(session)).status_code == 404
    make_tie(people.other_patient, people.stranger)
    path, sent = form(session)
    other = path.replace(str(people.patient.pk), str(people.other_patient.pk))
    assert stranger.post(other, sent).status_code == 404
    anyone = Client().post(path, sent)
    assert (anyone.status_code, anyone["Location"][:13]) == (302, "/desk/sign-in")
    assert not Attendance.objects.exists()


def test_the_outlook_is_reasons_with_their_source(people: People, desk: Client) -> None:
    in_programme(people.patient, now=NOW, days=60)
    for week in range(6):
        took_test(people.patient, (NOW - (7 * week + 2) * DAY).date(), "positive", now=NOW)
    text = page(desk, people)
    part = text.partition('<details class="outlook">')[2].partition("</details>")[0]
    assert "CTN-0094" in part and "Speaks for it:" in part
    assert (
        "6 of 6 weeks with a test were positive for what is treated; the last one positive." in part
    )
    assert not re.search(r"\d\s?%|0\.\d", part)
    assert AuditEvent.objects.get(action="outlook.read").patient_id == people.patient.pk
    desk.post("/desk/language", {"language": "es", "next": "/desk/"})
    assert (
        "6 de 6 semanas con prueba fueron positivas para lo que se trata; la última, positiva."
        in page(desk, people)
    )


def test_an_emergency_access_reads_what_is_planned_and_plans_nothing(people: People) -> None:
    in_programme(people.patient, now=NOW)
    now = datetime.now(UTC)
    EmergencyAccess.objects.create(
        patient=people.patient,
        clinician=people.stranger,
        reason="Brought in.",
        opened_at=now,
        ends_at=now + EmergencyAccess.LIFE,
    )
    browser, path = browser_of(people.stranger.user), f"/desk/patients/{people.patient.pk}/sessions"
    text = shown(browser.get(path))
    assert "You may read this for now, and change nothing." in text
    assert 'name="first_on"' not in text
    day = (now + DAY).date().isoformat()
    sent = {"id": str(uuid4()), "kind": "group", "at": "18:00", "minutes": "60", "repeat": "once"}
    assert browser.post(path, {**sent, "first_on": day}).status_code == 404
    assert not ProgramSession.objects.exists()
