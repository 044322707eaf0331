"""A support contact is asked once, in neutral words, and answers by a link of their own."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from backend.aftercare.models import (
    ContactInvitation,
    ContactMessage,
    SupportContact,
)
from backend.notifications.services import announce_channels
from tests.acting import carried
from tests.aftercare.asking import (
    PUBLIC,
    WORDS,
    Recorder,
    browse,
    call,
    consent,
    invite,
    link_in,
    tell,
)
from tests.intake.test_sync import amend, sync
from tests.people import People
from tests.phones import Phone

pytestmark = pytest.mark.usefixtures("committed_db", "public_address")


def test_asked_once_in_words_that_say_nothing_and_nothing_changes_by_looking(
    people: People, phone: Phone, maria: SupportContact, sms: Recorder
):
    consent(people, maria)
    for _ in range(2):
        assert invite(phone, maria).json()["state"] == "asked"
    assert (tell(sms), tell(sms)) == (1, 0)
    (message,) = sms.sent
    assert (message.target, message.title) == ("+15550100133", "Handrail")
    link = link_in(message)
    assert message.body == f"You have a new message. {PUBLIC}/contact/{link}"
    shown = browse("GET", link)
    text = shown.content.decode()
    assert "A. would like to let you know" in text and "when they ask for you" in text
    for hidden in ("Alice", "Maria", WORDS, "Riverside", "recovery", "craving"):
        assert hidden not in text
    assert (shown["Referrer-Policy"], "no-store" in shown["Cache-Control"]) == ("no-referrer", True)
    assert "sessionid" not in shown.cookies
    maria.refresh_from_db()
    assert maria.opted_in_at is None
    assert ContactInvitation.objects.get().answer == ""


def test_the_link_stands_in_no_table_in_the_clear(
    people: People, phone: Phone, maria: SupportContact, sms: Recorder
):
    consent(people, maria)
    invite(phone, maria)
    tell(sms)
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM aftercare_contactinvitation t")
        ((row,),) = cursor.fetchall()
    link = link_in(sms.sent[0])
    assert link not in row and link.encode().hex() not in row


def test_a_preview_stores_and_sends_nothing(people: People, phone: Phone, maria: SupportContact):
    consent(people, maria, "asked")
    shown = invite(phone, maria, only_preview=True).json()
    assert shown["message"] == "Handrail: You have a new message."
    assert shown["page"][1:] == ["when they ask for you"]
    assert ContactInvitation.objects.count() == 0


@pytest.mark.parametrize("missing", ["consent", "situation", "number", "channel", "address"])
def test_nobody_is_asked_where_something_is_missing(
    people: People, phone: Phone, maria: SupportContact, settings: Any, missing: str
):
    announce_channels(channels=["email"] if missing == "channel" else ["sms"], now=timezone.now())
    if missing != "consent":
        consent(people, maria, "silence" if missing == "situation" else "asked")
    if missing == "situation":
        SupportContact.objects.update(situations=["asked"])
    if missing == "number":
        phone.request(
            "PATCH", f"/me/support-contacts/{maria.pk}", {"phone": ""}, **{"If-Match": "1"}
        )
    if missing == "address":
        settings.PUBLIC_URL = ""
    refused = invite(phone, maria)
    assert refused.status_code == (400 if missing == "number" else 409), refused.content
    assert (ContactInvitation.objects.count(), ContactMessage.objects.count()) == (0, 0)


def test_a_no_is_a_no_and_may_become_a_yes_by_the_same_link(
    people: People, phone: Phone, maria: SupportContact, sms: Recorder
):
    consent(people, maria)
    invite(phone, maria)
    tell(sms)
    link = link_in(sms.sent[0])
    browse("POST", link, answer="no")
    assert phone.get(f"/me/support-contacts/{maria.pk}/invitation").json()["state"] == "declined"
    assert call(phone, maria).json()["why_not"] == "not_agreed"
    assert "You said no" in browse("GET", link).content.decode()
    browse("POST", link, answer="yes")
    assert call(phone, maria).status_code == 200


def test_an_unknown_an_expired_and_an_ended_link_look_the_same(
    people: People, phone: Phone, maria: SupportContact, sms: Recorder
):
    consent(people, maria)
    invite(phone, maria)
    tell(sms)
    link = link_in(sms.sent[0])
    unknown = browse("GET", "A" * 32)
    ContactInvitation.objects.update(expires_at=timezone.now())
    expired = browse("GET", link)
    ContactInvitation.objects.update(
        expires_at=timezone.now() + timedelta(1), ended_at=timezone.now()
    )
    ended = browse("GET", link)
    assert {one.status_code for one in (unknown, expired, ended)} == {404}
    assert unknown.content == expired.content == ended.content
    for answer in ("yes", "no", "withdrawn", "maybe"):
        assert browse("POST", link, answer=answer).status_code == 404
    maria.refresh_from_db()
    assert maria.opted_in_at is None


def test_links_are_tried_no_more_often_than_is_sound():
    told = {browse("GET", "B" * 32).status_code for _ in range(70)}
    assert told == {404, 429}


def test_one_contact_is_asked_three_times_a_month_at_the_most(
    people: People, phone: Phone, maria: SupportContact, sms: Recorder
):
    consent(people, maria)
    answers = [invite(phone, maria, shown_as=name).status_code for name in ("A", "B", "C", "D")]
    assert answers == [200, 200, 200, 429]
    assert ContactInvitation.objects.filter(ended_at=None).count() == 1
    assert tell(sms) == 1


def test_the_same_invitation_at_once_is_one(
    people: People, phone: Phone, maria: SupportContact, sms: Recorder
):
    consent(people, maria)
    barrier = threading.Barrier(3)

    def run() -> None:
        barrier.wait()
        invite(Phone(token=phone.token), maria)
        connection.close()

    threads = [threading.Thread(target=carried(run)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ContactInvitation.objects.count() == 1


def test_somebody_elses_contact_is_not_there(people: People, maria: SupportContact):
    assert people.other_patient.user is not None
    other = Phone.of(people.other_patient.user)
    assert invite(other, maria).status_code == 404
    assert call(other, maria).status_code == 404
    assert other.delete(f"/me/support-contacts/{maria.pk}/invitation").status_code == 404
    assert (
        Phone.of(people.therapist.user)
        .get(f"/me/support-contacts/{maria.pk}/invitation")
        .status_code
        == 403
    )


def test_each_answer_reaches_the_patients_phones_by_their_next_sync(
    people: People, phone: Phone, maria: SupportContact, sms: Recorder
):
    def heard(cursor: str) -> tuple[str, list[tuple[str, bool]]]:
        answer = sync(phone, cursor=cursor)
        assert not answer["starts_over"]
        found = answer["changes"]
        return answer["cursor"], [(one["id"], bool(one["item"]["opted_in_at"])) for one in found]

    consent(people, maria)
    invite(phone, maria)
    tell(sms)
    link, contact = link_in(sms.sent[0]), str(maria.pk)
    cursor = sync(phone)["cursor"]
    for answer, agrees in (("no", False), ("yes", True), ("withdrawn", False)):
        browse("POST", link, answer=answer)
        cursor, changes = heard(cursor)
        assert changes == [(contact, agrees)], answer
        browse("POST", link, answer=answer)
        assert heard(cursor)[1] == []


def test_a_yes_does_not_refuse_what_a_phone_had_waiting(
    people: People, phone: Phone, maria: SupportContact, sms: Recorder
):
    consent(people, maria)
    invite(phone, maria)
    tell(sms)
    browse("POST", link_in(sms.sent[0]), answer="yes")
    waiting = {**amend(str(maria.pk), 1, order=4), "type": "support_contact"}
    answer = sync(phone, waiting)
    assert answer["results"][0]["status"] == "amended"
    maria.refresh_from_db()
    assert (maria.order, maria.opted_in_at is None) == (4, False)
