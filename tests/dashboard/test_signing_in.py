"""Who gets to the desk, for how long, and what everyone else is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from backend.accounts.models import AuditEvent, User
from backend.accounts.rate_limits import SIGN_IN_BY_ACCOUNT
from tests.dashboard.browsing import browser_of, shown, sign_in
from tests.people import People

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


def test_a_clinician_signs_in_and_reaches_the_caseload(people: People) -> None:
    browser = Client()
    response = sign_in(browser, people.therapist.user.email.upper())
    assert (response.status_code, response["Location"]) == (302, "/desk/")
    assert "Caseload" in shown(browser.get("/desk/"))
    assert AuditEvent.objects.filter(
        action="sign_in", object_kind="session", actor_id=people.therapist.user.pk
    ).exists()


@pytest.mark.parametrize(
    "path", ["/desk/", "/desk/patients/{patient}", "/desk/patients/{patient}/news"]
)
def test_without_a_session_every_page_leads_to_sign_in(people: People, path: str) -> None:
    response = Client().get(path.format(patient=people.patient.pk))
    assert response.status_code == 302
    assert response["Location"].startswith("/desk/sign-in?next=%2Fdesk%2F")
    assert people.patient.given_name not in shown(response)


def test_the_bare_address_leads_to_the_desk(people: People) -> None:
    assert Client().get("/")["Location"] == "/desk/"


def test_patients_are_told_kindly_and_get_no_session(people: People) -> None:
    user = people.patient_user
    browser = Client()
    response = sign_in(browser, user.email)
    assert response.status_code == 403
    assert "These pages are for the care team." in shown(response)
    assert browser.get("/desk/").status_code == 302
    assert (
        AuditEvent.objects.using("audit")
        .filter(action="sign_in.desk", actor_id=user.pk, was_allowed=False)
        .exists()
    )


def test_a_wrong_password_and_an_unknown_address_look_the_same(people: People) -> None:
    wrong = sign_in(Client(), people.therapist.user.email, "not-it")
    unknown = sign_in(Client(), "nobody@example.org", "not-it")
    assert wrong.status_code == unknown.status_code == 401
    for response in (wrong, unknown):
        assert "do not go together" in shown(response)
    assert "not-it" not in shown(wrong)


def test_a_closed_account_cannot_sign_in_nor_stay(people: People) -> None:
    browser = browser_of(people.therapist.user)
    User.objects.filter(pk=people.therapist.user.pk).update(is_active=False)
    assert browser.get("/desk/").status_code == 302
    assert sign_in(Client(), people.therapist.user.email).status_code == 401


def test_too_many_tries_are_told_to_wait_even_with_the_right_password(people: People) -> None:
    email = people.therapist.user.email
    for _ in range(SIGN_IN_BY_ACCOUNT.count):
        assert sign_in(Client(), email, "not-it").status_code == 401
    response = sign_in(Client(), email)
    assert response.status_code == 429
    assert "Too many tries" in shown(response)


def test_the_form_needs_its_token(people: People) -> None:
    browser = Client(enforce_csrf_checks=True)
    response = sign_in(browser, people.therapist.user.email)
    assert response.status_code == 403
    assert "open for too long" in shown(response)
    assert browser.get("/desk/").status_code == 302


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "javascript:x"])
def test_signing_in_leads_only_to_pages_of_ours(people: People, elsewhere: str) -> None:
    response = sign_in(Client(), people.therapist.user.email, next=elsewhere)
    assert response["Location"] == "/desk/"


def test_signing_in_leads_back_to_where_one_was(people: People) -> None:
    wanted = f"/desk/patients/{people.patient.pk}"
    assert sign_in(Client(), people.therapist.user.email, next=wanted)["Location"] == wanted


def test_the_session_gets_a_new_key(people: People) -> None:
    browser = Client()
    browser.session.save()
    before = browser.session.session_key
    sign_in(browser, people.therapist.user.email)
    assert browser.session.session_key != before


def test_a_quarter_of_an_hour_of_rest_ends_the_session(people: People) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        browser = browser_of(people.therapist.user)
        clock.shift(timedelta(minutes=14))
        assert browser.get("/desk/").status_code == 200
        clock.shift(timedelta(minutes=14))
        assert browser.get("/desk/").status_code == 200
        clock.shift(timedelta(minutes=15))
        response = browser.get("/desk/")
        assert response["Location"] == "/desk/sign-in?next=%2Fdesk%2F&rested=1"
        assert browser.get("/desk/")["Location"] == "/desk/sign-in?next=%2Fdesk%2F"


def test_what_a_page_asks_for_by_itself_keeps_no_session_alive(people: People) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        browser = browser_of(people.therapist.user)
        for _ in range(14):
            clock.shift(timedelta(minutes=1))
            response = browser.post("/desk/refresh", headers={"HX-Request": "true"})
            assert response.status_code == 200
        clock.shift(timedelta(minutes=1))
        response = browser.post("/desk/refresh", headers={"HX-Request": "true"})
        assert response.status_code == 401
        assert response["HX-Redirect"] == "/desk/sign-in?rested=1"
        assert people.patient.given_name not in shown(response)


def test_twelve_hours_end_the_session_whatever_happens(people: People) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        browser = browser_of(people.therapist.user)
        for _ in range(71):
            clock.shift(timedelta(minutes=10))
            assert browser.get("/desk/sign-in").status_code == 302
            browser.get(f"/desk/patients/{people.patient.pk}")
        assert browser.get("/desk/").status_code == 200
        clock.shift(timedelta(minutes=10))
        assert browser.get("/desk/").status_code == 302


def test_signing_out_ends_it_here_and_on_the_server(people: People) -> None:
    browser = browser_of(people.therapist.user)
    stolen = Client()
    stolen.cookies["sessionid"] = browser.cookies["sessionid"].value
    assert stolen.get("/desk/").status_code == 200
    assert browser.post("/desk/sign-out")["Location"] == "/desk/sign-in"
    assert stolen.get("/desk/").status_code == 302
    assert AuditEvent.objects.filter(action="sign_out", object_kind="session").exists()


def test_signing_out_by_a_link_is_not_possible(people: People) -> None:
    browser = browser_of(people.therapist.user)
    assert browser.get("/desk/sign-out").status_code == 405
    assert browser.get("/desk/").status_code == 200


def test_no_page_may_be_kept_by_a_browser_or_a_proxy(people: People) -> None:
    browser = browser_of(people.therapist.user)
    for path in ("/desk/", f"/desk/patients/{people.patient.pk}", "/desk/sign-in"):
        assert "no-store" in browser.get(path)["Cache-Control"]
