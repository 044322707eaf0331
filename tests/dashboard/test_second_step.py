"""The second step of signing in to the pages."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from backend.accounts import totp
from backend.accounts.models import AuditEvent, MfaChallenge, User
from backend.accounts.rate_limits import MFA_BY_ACCOUNT
from tests.dashboard.browsing import shown
from tests.people import PASSWORD, People, enrol_app, next_code

STEP = "/desk/second-step"


@pytest.fixture
def user(people: People) -> User:
    return people.therapist.user


@pytest.fixture
def browser(user: User) -> Client:
    """The password was right a moment ago."""
    browser = Client()
    answer = browser.post("/desk/sign-in", {"email": user.email, "password": PASSWORD})
    assert answer["Location"] == f"{STEP}?next=%2Fdesk%2F"
    return browser


def send(browser: Client, code: str) -> Any:
    return browser.post(STEP, {"code": code})


def set_up(browser: Client) -> Any:
    key = re.search(r'id="secret"[^>]*>([A-Z2-7 ]+)<', shown(browser.get(STEP)))
    assert key
    secret = key[1].replace(" ", "")
    return send(browser, totp.code_at(secret, step=totp.step_at(timezone.now())))


def test_the_password_alone_opens_no_page(browser: Client, people: People) -> None:
    for path in ("/desk/", f"/desk/patients/{people.patient.pk}"):
        answer = browser.get(path)
        assert answer["Location"].startswith("/desk/sign-in")
        assert people.patient.given_name not in shown(answer)


def test_a_page_asked_for_meanwhile_costs_the_first_step(browser: Client, user: User) -> None:
    enrol_app(user)
    browser.get("/desk/")
    assert send(browser, next_code(user))["Location"] == "/desk/sign-in"


def test_without_the_first_step_there_is_no_second(db: None) -> None:
    assert Client().get(STEP)["Location"] == "/desk/sign-in"
    assert send(Client(), "000000")["Location"] == "/desk/sign-in"


def test_the_first_time_shows_a_key_and_then_the_codes_once(browser: Client, user: User) -> None:
    page = shown(browser.get(STEP))
    assert "data:image/svg+xml" in page
    assert shown(browser.get(STEP)).count("data:image/svg+xml") == 1
    answer = set_up(browser)
    assert answer.status_code == 200
    assert len(re.findall(r"<li>[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}</li>", shown(answer))) == 10
    assert "no-store" in answer["Cache-Control"]
    assert browser.get("/desk/").status_code == 200
    assert browser.get(STEP)["Location"] == "/desk/sign-in"
    rows = AuditEvent.objects.filter(actor_id=user.pk).values_list("action", flat=True)
    assert {"sign_in.password", "mfa.enrol", "sign_in"} <= set(rows)


def test_later_no_key_is_shown(browser: Client, user: User) -> None:
    enrol_app(user)
    page = shown(browser.get(STEP))
    assert "data:image" not in page
    assert 'id="secret"' not in page
    assert send(browser, next_code(user))["Location"] == "/desk/"
    assert browser.get("/desk/").status_code == 200


def test_a_wrong_code_is_told_and_may_be_tried_again(browser: Client, user: User) -> None:
    enrol_app(user)
    answer = send(browser, "000000")
    assert answer.status_code == 401
    assert "wrong or was used" in shown(answer)
    assert send(browser, "").status_code == 400
    assert send(browser, next_code(user)).status_code == 302


def test_guessing_ends(browser: Client, user: User) -> None:
    enrol_app(user)
    for _ in range(MFA_BY_ACCOUNT.count):
        assert send(browser, "000000").status_code == 401
    answer = send(browser, next_code(user))
    assert answer.status_code == 429
    assert "Too many tries" in shown(answer)
    assert browser.get("/desk/").status_code == 302


def test_a_step_that_took_too_long_starts_again(user: User) -> None:
    enrol_app(user)
    browser = Client()
    with time_machine.travel(datetime(2026, 3, 2, 15, tzinfo=UTC), tick=False) as clock:
        browser.post("/desk/sign-in", {"email": user.email, "password": PASSWORD})
        clock.shift(MfaChallenge.LIFE + timedelta(seconds=1))
        assert browser.get(STEP)["Location"] == "/desk/sign-in"


def test_the_session_gets_a_new_key_at_both_steps(user: User) -> None:
    enrol_app(user)
    browser, keys = Client(), []
    browser.session.save()
    keys.append(browser.session.session_key)
    browser.post("/desk/sign-in", {"email": user.email, "password": PASSWORD})
    keys.append(browser.session.session_key)
    send(browser, next_code(user))
    keys.append(browser.session.session_key)
    assert len(set(keys)) == 3


def test_it_speaks_spanish(browser: Client) -> None:
    browser.post("/desk/language", {"language": "es"})
    assert "Configura tu segundo paso" in shown(browser.get(STEP))
