"""New passwords: nobody learns who has an account, and one code sets one password once."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.accounts.models import AuditEvent, PasswordReset, User
from backend.notifications.services import send_password_mails
from tests.accounts.threads import at_once
from tests.people import PASSWORD, People, make_device
from tests.phones import Phone
from tests.words.forbidden import IN_TEXT, TEXT_EXCEPTIONS, forbidden_in

NEW = "another-walk-by-the-sea"
UNKNOWN = "nobody-at-all@example.org"
TRADE = "health|patient|clinic|recover|treat|therap|sober|program|care|terapia|salud|recuper"

Clock = Callable[[], datetime]


def later(**by: float) -> Clock:
    return lambda: datetime.now(UTC) + timedelta(**by)


def ask(email: str) -> Any:
    return Phone().post("/password-reset", {"email": email})


def confirm(email: str, code: str, password: str = NEW) -> Any:
    body = {"email": email, "code": code, "password": password}
    return Phone().post("/password-reset/confirm", body)


def sign_in(email: str, password: str) -> int:
    answer = Phone().post("/sign-in", {"email": email, "password": password})
    return int(answer.status_code)


def code_in(message: EmailMessage) -> str:
    (code,) = re.findall(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}", str(message.body))
    return str(code)


def mailed_code(email: str) -> str:
    """Asks, sends, and reads the mail."""
    assert ask(email).status_code == 202
    assert send_password_mails(now=later()) == 1
    return code_in(mail.outbox[-1])


# Asking -----------------------------------------------------------------------------------------


def test_the_answer_and_the_work_are_the_same_for_everybody(people: People) -> None:
    answers, work = [], []
    for email in (people.patient_user.email, UNKNOWN):
        with CaptureQueriesContext(connection) as queries:
            answer = ask(email)
        answers.append((answer.status_code, answer.content))
        work.append([re.sub(r"'[^']*'|_x\d+|\d+", "?", query["sql"]) for query in queries])
    assert answers == [(202, b"")] * 2
    assert len(work[0]) > 2
    assert work[0] == work[1]


def test_one_mail_to_who_has_an_account_and_none_to_others(
    committed_db: None, people: People
) -> None:
    closed = people.therapist.user
    User.objects.filter(pk=closed.pk).update(is_active=False)
    for email in (people.patient_user.email.upper(), UNKNOWN, closed.email):
        assert ask(email).status_code == 202
    assert send_password_mails(now=later()) == 1
    assert send_password_mails(now=later()) == 0
    (message,) = mail.outbox
    assert message.to == [people.patient_user.email]
    assert list(PasswordReset.objects.values_list("email", flat=True)) == [message.to[0]]


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_mail_says_nothing_about_the_sender_or_the_reason(
    committed_db: None, people: People, language: str
) -> None:
    User.objects.filter(pk=people.patient_user.pk).update(language=language)
    mailed_code(people.patient_user.email)
    (message,) = mail.outbox
    shown = f"{message.subject}\n{message.body}\n{message.from_email}"
    assert message.subject == {"en": "Your code", "es": "Tu código"}[language]
    assert not re.search(TRADE, shown, re.IGNORECASE)
    assert forbidden_in(shown, IN_TEXT, TEXT_EXCEPTIONS) == []
    assert people.patient.given_name not in shown
    assert people.organisation.name not in shown


def test_nothing_but_a_hash_is_stored_and_nothing_is_logged(
    committed_db: None, people: People, capfd: pytest.CaptureFixture[str]
) -> None:
    code = mailed_code(people.patient_user.email)
    assert confirm(people.patient_user.email, code).status_code == 204
    stored = f"{list(PasswordReset.objects.values())}{list(AuditEvent.objects.values())}"
    said = "".join(capfd.readouterr())
    for secret in (code, code.replace("-", ""), NEW, people.patient_user.email):
        assert secret not in stored
        assert secret not in said


def test_asking_is_limited_alike(people: People) -> None:
    for email in (people.patient_user.email, UNKNOWN):
        answers = [ask(email) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [202] * 5 + [429]
        assert int(answers[-1]["Retry-After"]) > 0


@pytest.mark.parametrize("body", [{}, {"email": "x"}, {"email": UNKNOWN, "x": 1}], ids=str)
def test_a_malformed_wish_is_refused(db: None, body: dict[str, Any]) -> None:
    assert Phone().post("/password-reset", body).status_code == 400
    assert not PasswordReset.objects.exists()


# Sending ----------------------------------------------------------------------------------------


def test_ten_senders_send_one_mail(committed_db: None, people: People) -> None:
    ask(people.patient_user.email)
    counts = at_once([lambda: send_password_mails(now=later())] * 10)
    assert sum(counts) == len(mail.outbox) == 1


def test_a_mail_that_cannot_leave_is_tried_again_with_a_code_that_works(
    committed_db: None, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(people.patient_user.email)
    with monkeypatch.context() as broken:
        broken.setattr(EmailMessage, "send", refuse)
        assert send_password_mails(now=later()) == 1
    assert send_password_mails(now=later()) == 0  # not at once
    assert send_password_mails(now=later(minutes=1)) == 1
    assert confirm(people.patient_user.email, code_in(mail.outbox[-1])).status_code == 204


def refuse(*_args: Any, **_more: Any) -> int:
    raise ConnectionRefusedError


def test_nothing_is_sent_once_the_wish_has_expired(committed_db: None, people: People) -> None:
    ask(people.patient_user.email)
    assert send_password_mails(now=later(minutes=31)) == 0
    assert mail.outbox == []
    assert not PasswordReset.objects.exists()


def test_it_refuses_to_send_inside_a_transaction(people: People) -> None:
    with pytest.raises(RuntimeError):
        send_password_mails(now=later())


# Confirming -------------------------------------------------------------------------------------


def test_a_code_sets_the_password_and_ends_every_sign_in(
    committed_db: None, people: People
) -> None:
    email, phone = people.patient_user.email, Phone.of(people.patient_user)
    other, device = Phone.of(people.other_patient.user), make_device(people.patient_user)  # type: ignore[arg-type]
    code = mailed_code(email)
    assert confirm(email.upper(), code.lower().replace("-", " ")).status_code == 204
    assert (sign_in(email, PASSWORD), sign_in(email, NEW)) == (401, 200)
    assert phone.get("/trends").status_code == 401
    assert other.get("/trends").status_code == 200
    device.refresh_from_db()
    assert device.unbound_at is None
    (event,) = AuditEvent.objects.filter(action="password.set")
    assert event.actor_id == people.patient_user.pk


def test_every_code_that_does_not_work_gets_the_same_answer(
    committed_db: None, people: People
) -> None:
    email = people.patient_user.email
    old = mailed_code(email)
    newest = mailed_code(email)
    User.objects.filter(pk=people.therapist.user_id).update(is_active=False)
    refused = [
        confirm(email, old),
        confirm(email, "0000-0000-0000"),
        confirm(email, ""),
        confirm(UNKNOWN, newest),
        confirm(people.other_patient.user.email, newest),  # type: ignore[union-attr]
        confirm(people.therapist.user.email, newest),
    ]
    bodies = [{**answer.json(), "request_id": ""} for answer in refused]
    assert {answer.status_code for answer in refused} == {400}
    assert all(body == bodies[0] for body in bodies)
    assert bodies[0]["errors"][0]["code"] == "unknown_code"
    assert sign_in(email, PASSWORD) == 200
    assert confirm(email, newest).status_code == 204
    assert {**confirm(email, newest).json(), "request_id": ""} == bodies[0]


def test_a_code_expires(committed_db: None, people: People) -> None:
    email = people.patient_user.email
    code = mailed_code(email)
    PasswordReset.objects.update(expires_at=datetime.now(UTC))
    assert confirm(email, code).status_code == 400
    assert sign_in(email, PASSWORD) == 200


@pytest.mark.parametrize("password", ["short", "1234567890123", "password123"])
def test_a_weak_password_is_refused_alike_and_costs_no_code(
    committed_db: None, people: People, password: str
) -> None:
    email = people.patient_user.email
    code = mailed_code(email)
    known, unknown = confirm(email, code, password), confirm(UNKNOWN, code, password)
    assert known.json()["errors"] == unknown.json()["errors"]
    assert known.json()["errors"][0]["code"] == "weak_password"
    assert confirm(email, code).status_code == 204


def test_confirming_is_limited(db: None) -> None:
    answers = [confirm(UNKNOWN, "0000-0000-0000", "short").status_code for _ in range(11)]
    assert answers == [400] * 10 + [429]


def test_one_code_at_once_from_many_sets_one_password(committed_db: None, people: People) -> None:
    email = people.patient_user.email
    code = mailed_code(email)
    answers = at_once([partial(confirm, email, code, f"{NEW}-{n}") for n in range(8)])
    statuses = [answer.status_code for answer in answers]
    assert sorted(statuses) == [204] + [400] * 7
    winner = statuses.index(204)
    assert sign_in(email, f"{NEW}-{winner}") == 200


# Changing ---------------------------------------------------------------------------------------


def test_who_knows_the_password_changes_it_and_stays_signed_in(people: People) -> None:
    phone, other = Phone.of(people.patient_user), Phone.of(people.patient_user)
    body = {"current_password": PASSWORD, "password": NEW}
    assert phone.post("/password", body).status_code == 204
    assert (phone.get("/trends").status_code, other.get("/trends").status_code) == (200, 401)
    email = people.patient_user.email
    assert (sign_in(email, PASSWORD), sign_in(email, NEW)) == (401, 200)
    assert AuditEvent.objects.filter(action="password.change", was_allowed=True).count() == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"current_password": "wrong-one-entirely", "password": NEW}, "wrong_password"),
        ({"current_password": PASSWORD, "password": "short"}, "weak_password"),
    ],
    ids=["wrong", "weak"],
)
def test_a_refused_change_changes_nothing(people: People, body: dict[str, str], code: str) -> None:
    phone, other = Phone.of(people.patient_user), Phone.of(people.patient_user)
    answer = phone.post("/password", body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == code
    assert sign_in(people.patient_user.email, PASSWORD) == 200
    assert other.get("/trends").status_code == 200


def test_a_stolen_token_cannot_guess_the_password_for_long(people: People) -> None:
    phone = Phone.of(people.patient_user)
    body = {"current_password": "wrong-one-entirely", "password": NEW}
    answers = [phone.post("/password", body).status_code for _ in range(11)]
    assert answers == [400] * 10 + [429]


def test_a_change_uses_up_a_code_that_is_on_its_way(committed_db: None, people: People) -> None:
    email = people.patient_user.email
    code = mailed_code(email)
    body = {"current_password": PASSWORD, "password": NEW}
    Phone.of(people.patient_user).post("/password", body)
    assert confirm(email, code, f"{NEW}-2").status_code == 400
    assert sign_in(email, NEW) == 200


# Limits told in headers -------------------------------------------------------------------------


def test_a_limited_answer_says_what_is_left(people: People) -> None:
    for left in (4, 3):
        answer = ask(UNKNOWN)
        assert '"password_reset_email";q=5;w=3600' in answer["RateLimit-Policy"]
        assert re.search(rf'"password_reset_email";r={left};t=\d+$', answer["RateLimit"])


def test_a_refusal_says_that_nothing_is_left_and_when_it_will_be(people: People) -> None:
    refused = [ask(UNKNOWN) for _ in range(6)][-1]
    found = re.search(r'"password_reset_email";r=0;t=(\d+)$', refused["RateLimit"])
    assert refused.status_code == 429
    assert found
    assert found[1] == refused["Retry-After"]


def test_an_answer_without_a_limit_says_nothing_even_after_a_limited_one(phone: Phone) -> None:
    ask(UNKNOWN)
    answer = phone.get("/trends")
    assert "RateLimit" not in answer
    assert "RateLimit-Policy" not in answer
