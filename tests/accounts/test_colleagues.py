"""An administrator takes away a colleague's second step: proven, audited, and told to them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend

from backend.accounts.models import AuditEvent, RecoveryCode, SecondFactor, User
from backend.notifications.services import send_password_mails
from tests.people import People, enrol_app, make_device, next_code
from tests.phones import Phone


@pytest.fixture
def admin(people: People) -> Phone:
    enrol_app(people.administrator.user)
    enrol_app(people.therapist.user)
    return Phone.of(people.administrator.user)


def remove(admin: Phone, people: People, **body: Any) -> Any:
    said = {"code": next_code(people.administrator.user), "reason": "lost_phone", **body}
    return admin.post(f"/clinicians/{people.therapist.pk}/remove-second-step", said)


def factors(user: User) -> int:
    return SecondFactor.objects.filter(user=user).count()


def send(at: datetime | None = None) -> int:
    return send_password_mails(now=lambda: at or datetime.now(UTC))


def test_it_goes_with_all_sign_ins_and_is_written_down(admin: Phone, people: People) -> None:
    user = people.therapist.user
    RecoveryCode.objects.create(user=user, code_hash="x")
    theirs, phone = Phone.of(user), make_device(user)
    assert remove(admin, people).status_code == 204
    assert (factors(user), RecoveryCode.objects.filter(user=user).count()) == (0, 0)
    assert factors(people.administrator.user) == 1
    assert theirs.get("/devices").status_code == 401
    phone.refresh_from_db()
    assert phone.unbound_reason == "signed_out"
    assert admin.get("/clinicians").status_code == 200
    event = AuditEvent.objects.get(action="mfa.remove")
    assert (event.actor_id, event.object_id) == (people.administrator.user_id, str(user.pk))
    assert event.facts == {"reason": "lost_phone"}


def test_without_a_fresh_code_of_ones_own_nothing_goes(admin: Phone, people: People) -> None:
    theirs = next_code(people.therapist.user)
    used = next_code(people.administrator.user)
    for code in ("000000", theirs):
        answer = remove(admin, people, code=code)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "wrong_code")
    assert factors(people.therapist.user) == 1
    assert remove(admin, people, code=used).status_code == 204
    assert remove(admin, people, code=used).status_code == 400
    assert AuditEvent.objects.filter(action="mfa.remove").count() == 1


def test_guessing_is_stopped(admin: Phone, people: People) -> None:
    answers = [remove(admin, people, code="000000").status_code for _ in range(40)]
    assert answers[-1] == 429
    assert remove(admin, people).status_code == 429
    assert factors(people.therapist.user) == 1


@pytest.mark.parametrize("body", [{"reason": "because"}, {"reason": ""}, {"code": ""}, {"x": 1}])
def test_a_malformed_wish_changes_nothing(admin: Phone, people: People, body: Any) -> None:
    assert remove(admin, people, **body).status_code == 400
    assert factors(people.therapist.user) == 1


def test_who_is_of_another_organisation_is_nobody(admin: Phone, people: People) -> None:
    body = {"code": next_code(people.administrator.user), "reason": "lost_phone"}
    answer = admin.post(f"/clinicians/{people.elsewhere_therapist.pk}/remove-second-step", body)
    assert answer.status_code == 404


def test_they_are_told_by_a_mail_that_says_nothing_else(
    committed_db: None, admin: Phone, people: People
) -> None:
    assert remove(admin, people).status_code == 204
    assert [send(), send()] == [1, 0]
    (sent,) = mail.outbox
    assert sent.to == [people.therapist.user.email]
    assert sent.subject == "Your sign-in"
    assert "taken away" in sent.body
    assert people.organisation.name not in sent.subject + sent.body
    assert "code" not in sent.body


def test_a_mail_that_did_not_leave_is_tried_again(
    committed_db: None, admin: Phone, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert remove(admin, people).status_code == 204
    with monkeypatch.context() as broken:
        broken.setattr(EmailBackend, "send_messages", _refuse)
        assert send() == 1
    assert send() == 0
    assert send(datetime.now(UTC) + timedelta(minutes=2)) == 1
    assert len(mail.outbox) == 1


def _refuse(_self: object, _messages: object) -> int:
    raise OSError("no server")
