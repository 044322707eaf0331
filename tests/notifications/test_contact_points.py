"""A clinician's addresses: nothing but a code goes there before one is verified."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from backend.accounts.models import AuditEvent
from backend.aftercare.ladder import live_on
from backend.notifications.models import ContactPoint
from backend.notifications.push import Channel, Outcome
from backend.notifications.services import (
    retire_contact_point_again,
    send_contact_codes,
    verify_contact_point,
)
from tests.notifications.outbox import RecordingSender, always
from tests.people import People, actor_for
from tests.phones import Phone

# Codes are sent outside of any transaction.
pytestmark = pytest.mark.usefixtures("committed_db")
NUMBER = "+15550100199"


@pytest.fixture
def bob(people: People) -> Phone:
    return Phone.of(people.therapist.user)


def add(phone: Phone, **values: Any) -> Any:
    return phone.post("/me/contact-points", {"channel": "sms", "address": NUMBER, **values})


def send_codes(sender: RecordingSender, *, later: timedelta = timedelta(0)) -> int:
    senders = {Channel.SMS: sender, Channel.EMAIL: sender}
    return send_contact_codes(senders=senders, now=timezone.now() + later)


def verify(phone: Phone, point_id: str, code: str) -> Any:
    return phone.post(f"/me/contact-points/{point_id}/verify", {"code": code})


def test_added_verified_and_used(people: People, bob: Phone) -> None:
    added = add(bob).json()
    assert (added["address"], added["is_verified"]) == (NUMBER, False)
    ladder = [[str(people.therapist.user.pk)]]
    assert live_on(ladder) == {}
    sender = RecordingSender()
    assert send_codes(sender) == 1
    assert send_codes(sender, later=timedelta(minutes=5)) == 0
    (sent,) = sender.sent
    assert (sent.target, sent.title) == (NUMBER, "Your code")
    assert verify(bob, added["id"], "0000-0000-0000").status_code == 400
    assert verify(bob, added["id"], sent.body.lower()).json()["is_verified"]
    assert bob.get("/me/contact-points").json()["results"] == [{**added, "is_verified": True}]
    assert live_on(ladder) == {str(people.therapist.user.pk): frozenset({"sms"})}


def test_it_is_nobody_elses(people: People, bob: Phone) -> None:
    point_id = add(bob).json()["id"]
    sender = RecordingSender()
    send_codes(sender)
    other = Phone.of(people.stranger.user)
    assert other.get("/me/contact-points").json()["results"] == []
    assert verify(other, point_id, sender.sent[0].body).status_code == 404
    assert other.request("DELETE", f"/me/contact-points/{point_id}").status_code == 404
    assert ContactPoint.objects.get().verified_at is None
    for user in (people.patient_user, people.administrator.user):
        assert add(Phone.of(user)).status_code == 403


def test_another_address_takes_the_place_of_the_first(people: People, bob: Phone) -> None:
    first = add(bob).json()["id"]
    second = add(bob, address="+1 (555) 010-0177").json()
    assert second["address"] == "+15550100177"
    assert second["id"] != first
    retired = ContactPoint.objects.get(pk=first)
    assert retired.retired_reason == "replaced"
    sender = RecordingSender()
    send_codes(sender)
    assert sender.targets == ["+15550100177"]


def test_the_same_address_again_is_the_same(people: People, bob: Phone) -> None:
    first = add(bob).json()
    again = add(bob, acute_only=True).json()
    assert again == {**first, "acute_only": True}
    assert ContactPoint.objects.count() == 1


def test_removed_is_gone_at_once_and_stays_so(people: People, bob: Phone) -> None:
    point_id = add(bob).json()["id"]
    assert bob.request("DELETE", f"/me/contact-points/{point_id}").status_code == 204
    assert bob.request("DELETE", f"/me/contact-points/{point_id}").status_code == 404
    assert send_codes(RecordingSender()) == 0
    assert bob.get("/me/contact-points").json()["results"] == []


def test_an_old_code_opens_nothing(people: People, bob: Phone) -> None:
    point_id, sender = add(bob).json()["id"], RecordingSender()
    send_codes(sender)
    actor, code = actor_for(people.therapist.user), sender.sent[0].body
    later = timezone.now() + timedelta(minutes=31)
    with pytest.raises(Exception, match="invalid_body"):
        verify_contact_point(actor=actor, point_id=UUID(point_id), code=code, now=later)
    add(bob)
    send_codes(sender, later=timedelta(minutes=40))
    assert sender.sent[1].body != code
    assert verify(bob, point_id, code).status_code == 400
    assert verify(bob, point_id, sender.sent[1].body).status_code == 200


def test_a_code_that_could_not_be_sent_is_sent_again(people: People, bob: Phone) -> None:
    add(bob)
    sender = RecordingSender(answer=always(Outcome.UNKNOWN))
    assert send_codes(sender) == 1
    assert send_codes(sender, later=timedelta(seconds=10)) == 0
    sender.answer = always(Outcome.ACCEPTED)
    assert send_codes(sender, later=timedelta(seconds=31)) == 1
    assert send_codes(sender, later=timedelta(minutes=5)) == 0


@pytest.mark.parametrize(
    ("channel", "address"),
    [
        ("sms", "5550100199"),
        ("sms", "+0155501001"),
        ("sms", "+1555010019912345"),
        ("sms", "bob@example.org"),
        ("email", "+15550100199"),
        ("email", "bob@example.org\nBcc: a@b.org"),
        ("push", "+15550100199"),
    ],
)
def test_what_is_no_address_is_refused(bob: Phone, channel: str, address: str) -> None:
    assert add(bob, channel=channel, address=address).status_code == 400
    assert not ContactPoint.objects.exists()


def test_guessing_codes_ends(people: People, bob: Phone) -> None:
    point_id = add(bob).json()["id"]
    send_codes(RecordingSender())
    answers = [verify(bob, point_id, f"{n:04}-0000-0000").status_code for n in range(12)]
    assert answers[:10] == [400] * 10
    assert answers[10:] == [429] * 2


def test_the_address_is_in_no_audit_row(people: People, bob: Phone) -> None:
    point_id, sender = add(bob).json()["id"], RecordingSender()
    send_codes(sender)
    verify(bob, point_id, sender.sent[0].body)
    bob.request("DELETE", f"/me/contact-points/{point_id}")
    rows = AuditEvent.objects.filter(object_kind="contact_point").order_by("pk")
    assert [row.action.partition(".")[2] for row in rows] == ["add", "verify", "retire"]
    assert NUMBER not in str(list(rows.values()))


def test_given_up_again_after_a_restore(people: People, bob: Phone) -> None:
    point_id = add(bob).json()["id"]
    now, actor = timezone.now(), actor_for(people.therapist.user)
    for known, expected in ((UUID(point_id), True), (UUID(point_id), False), (uuid4(), False)):
        assert retire_contact_point_again(actor=actor, point_id=known, at=now) is expected
