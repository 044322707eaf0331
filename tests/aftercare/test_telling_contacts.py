"""A contact is told only after their own yes, within a live consent that names the situation;
and what ends stops what is queued."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from django.utils import dateformat, timezone

from backend.accounts.actor import Actor
from backend.accounts.models import AuditEvent
from backend.accounts.services import revoke_consent
from backend.aftercare.models import (
    Alert,
    AlertAct,
    ContactMessage,
    SupportContact,
)
from backend.aftercare.services import escalate_due
from backend.notifications.models import Notification
from backend.notifications.push import Outcome
from backend.notifications.services import pause_delivery
from backend.privacy import journal
from backend.privacy.journal import Entry
from backend.privacy.models import Disclosure
from backend.tracking.models import CheckIn
from tests.accounts.consenting import own
from tests.acting import carried
from tests.aftercare.asking import (
    PUBLIC,
    WORDS,
    Recorder,
    agreed,
    browse,
    call,
    consent,
    invite,
    link_in,
    tell,
)
from tests.aftercare.reporting import report
from tests.people import People
from tests.phones import Phone

pytestmark = pytest.mark.usefixtures("committed_db", "public_address")


def test_called_for_they_read_the_patients_own_words_behind_the_link(
    people: People, phone: Phone, maria: SupportContact, sms: Recorder
):
    link = agreed(people, phone, maria, sms)
    assert call(phone, maria).status_code == 200
    assert tell(sms) == 1
    assert sms.sent[0].body == f"You have a new message. {PUBLIC}/contact/{link}"
    text = browse("GET", link).content.decode()
    assert "A. has asked you to get in touch" in text and WORDS in text and "Alice" not in text
    told_at = ContactMessage.objects.get(situation="asked").queued_at
    there = told_at.astimezone(ZoneInfo(people.patient.time_zone))
    assert f"{dateformat.format(there, 'N j, Y, P')} {there.tzname()}</time>" in text
    assert AuditEvent.objects.filter(action="support_contact.tell").count() == 1
    assert AuditEvent.objects.filter(action="support_contact.show").count() == 1
    assert Disclosure.objects.count() == 0


def test_the_same_call_twice_is_one_message(
    people: People, phone: Phone, maria: SupportContact, sms: Recorder
):
    agreed(people, phone, maria, sms)
    body = {"id": str(uuid4())}
    for _ in range(2):
        assert phone.post(f"/me/support-contacts/{maria.pk}/call", body).status_code == 200
    assert (tell(sms), len(sms.sent)) == (1, 1)


@pytest.mark.parametrize(
    ("items", "situation"),
    [
        ({"not_safe": True}, "not_safe"),
        ({"craving": 9}, "strong_craving"),
        ({"use_reported": True}, "use_reported"),
    ],
)
def test_an_acute_check_in_tells_who_agreed_once_and_touches_no_alert(
    people: People, phone: Phone, maria: SupportContact, sms: Recorder, items: Any, situation: str
):
    link = agreed(people, phone, maria, sms)
    report(people, now=timezone.now(), **items)
    alert = Alert.objects.get()
    before = (alert.ladder, alert.level, alert.level_due_at, alert.status, alert.acknowledged_at)
    assert (tell(sms), tell(sms)) == (1, 0)
    assert ContactMessage.objects.get(situation=situation).outcome == "accepted"
    alert.refresh_from_db()
    after = (alert.ladder, alert.level, alert.level_due_at, alert.status, alert.acknowledged_at)
    assert after == before
    assert Notification.objects.exclude(recipient__role__in=["clinician", "patient"]).count() == 0
    assert escalate_due(now=timezone.now() + timedelta(hours=5)) == 1
    assert AlertAct.objects.filter(kind="acknowledged").count() == 0
    for _ in range(2):
        assert WORDS in browse("GET", link).content.decode()
    row = Disclosure.objects.get()
    assert (row.scopes, row.recipient_kind) == (["check_ins"], "support_contact")


def test_what_was_not_named_is_not_told(
    people: People, phone: Phone, maria: SupportContact, sms: Recorder
):
    consent(people, maria, "asked")
    invite(phone, maria)
    tell(sms)
    browse("POST", link_in(sms.sent[0]), answer="yes")
    report(people, now=timezone.now(), not_safe=True)
    assert (tell(sms), len(sms.sent)) == (0, 1)


def test_without_their_yes_nothing_is_told(
    people: People, phone: Phone, maria: SupportContact, sms: Recorder
):
    consent(people, maria)
    report(people, now=timezone.now(), not_safe=True)
    assert tell(sms) == 0
    assert ContactMessage.objects.count() == 0


def test_a_withdrawn_check_in_tells_nobody(
    people: People, phone: Phone, maria: SupportContact, sms: Recorder
):
    agreed(people, phone, maria, sms)
    received = report(people, now=timezone.now(), craving=9)
    CheckIn.objects.filter(pk=received.check_in.pk).update(withdrawn_at=timezone.now())
    assert tell(sms) == 0


DAWN = datetime.combine(timezone.now().date() + timedelta(days=1), time(10), tzinfo=UTC)
"""05:00 or 06:00 in New York."""


@pytest.mark.parametrize("has_left", [False, True])
def test_a_silence_is_told_by_day_and_not_of_who_left_monitoring(
    people: People, phone: Phone, maria: SupportContact, sms: Recorder, has_left: bool
):
    agreed(people, phone, maria, sms)
    Alert.objects.create(
        patient=people.patient,
        condition="absence",
        severity="medium",
        opened_at=DAWN,
        evidence_at=DAWN,
        first_on=DAWN.date(),
        last_on=DAWN.date(),
    )
    assert tell(sms, at=DAWN) == 0
    if has_left:
        people.patient.left_monitoring_at = DAWN
        people.patient.save()
    assert tell(sms, at=DAWN + timedelta(hours=3)) == 1
    assert len(sms.sent) == (0 if has_left else 1)


def test_a_late_check_in_tells_nobody(
    people: People, phone: Phone, maria: SupportContact, sms: Recorder
):
    agreed(people, phone, maria, sms)
    now = timezone.now()
    ago = now - timedelta(days=2)
    report(people, now=now, recorded_at=ago, local_date=ago.date(), craving=9)
    assert Alert.objects.count() == 1
    assert tell(sms) == 0


# What ends stops what is queued ---------------------------------------------------------------


def end(
    how: str, people: People, phone: Phone, maria: SupportContact, link: str, signed: Any
) -> None:
    path = f"/me/support-contacts/{maria.pk}"
    if how == "consent revoked":
        revoke_consent(actor=own(people.patient), consent_id=signed.pk, now=timezone.now())
    elif how == "contact removed":
        assert phone.delete(path).status_code == 204
    elif how == "withdrawn by the contact":
        assert "It is done" in browse("POST", link, answer="withdrawn").content.decode()
    elif how == "taken back":
        assert phone.delete(f"{path}/invitation").status_code == 204
    elif how == "another number":
        changed = phone.request("PATCH", path, {"phone": "+1 555 010 0144"}, **{"If-Match": "1"})
        assert changed.json()["opted_in_at"] is None
    elif how == "not chosen any more":
        phone.request("PATCH", path, {"situations": []}, **{"If-Match": "1"})
    else:
        people.patient.discharged_at = timezone.now()
        people.patient.save()


@pytest.mark.parametrize(
    "how",
    [
        "consent revoked",
        "contact removed",
        "withdrawn by the contact",
        "taken back",
        "another number",
        "not chosen any more",
        "discharged",
    ],
)
def test_whatever_ends_stops_what_is_queued_already_and_is_never_announced(
    how: str, people: People, phone: Phone, maria: SupportContact, sms: Recorder
):
    signed = consent(people, maria)
    invite(phone, maria)
    tell(sms)
    link = link_in(sms.sent.pop())
    browse("POST", link, answer="yes")
    assert call(phone, maria).status_code == 200
    end(how, people, phone, maria, link, signed)
    tell(sms)
    assert sms.sent == []
    message = ContactMessage.objects.get(situation="asked")
    assert message.outcome == "cancelled"
    assert WORDS not in browse("GET", link).content.decode()


def test_what_was_told_is_shown_no_more_once_the_consent_is_revoked(
    people: People, phone: Phone, maria: SupportContact, sms: Recorder
):
    signed = consent(people, maria)
    invite(phone, maria)
    tell(sms)
    link = link_in(sms.sent[0])
    browse("POST", link, answer="yes")
    call(phone, maria)
    tell(sms)
    revoke_consent(actor=own(people.patient), consent_id=signed.pk, now=timezone.now())
    text = browse("GET", link).content.decode()
    assert "There is no message for you now" in text and WORDS not in text


def test_nothing_leaves_while_delivery_is_paused(
    people: People, phone: Phone, maria: SupportContact, sms: Recorder
):
    consent(people, maria)
    invite(phone, maria)
    pause_delivery(actor=Actor.system("test"), reason="restored", now=timezone.now())
    assert tell(sms) == 0


def test_what_fails_is_tried_again_and_a_number_that_is_gone_is_not(
    people: People, phone: Phone, maria: SupportContact, sms: Recorder
):
    consent(people, maria)
    invite(phone, maria)
    sms.outcome = Outcome.UNKNOWN
    assert tell(sms) == 1
    assert ContactMessage.objects.get().settled_at is None
    sms.outcome = Outcome.TARGET_GONE
    tell(sms, at=timezone.now() + timedelta(minutes=2))
    assert ContactMessage.objects.get().outcome == "dead"


def test_a_message_that_may_have_arrived_is_there_to_be_read(
    people: People, phone: Phone, maria: SupportContact, sms: Recorder
):
    link = agreed(people, phone, maria, sms)
    call(phone, maria)
    sms.outcome = Outcome.UNKNOWN
    tell(sms)
    assert WORDS in browse("GET", link).content.decode()


def test_a_send_in_a_transaction_is_refused(sms: Recorder):
    with transaction.atomic(), pytest.raises(RuntimeError):
        tell(sms)


def test_eight_copies_send_it_once(
    people: People, phone: Phone, maria: SupportContact, sms: Recorder
):
    agreed(people, phone, maria, sms)
    call(phone, maria)
    report(people, now=timezone.now(), not_safe=True)
    barrier = threading.Barrier(8)

    def run() -> None:
        barrier.wait()
        tell(sms)
        connection.close()

    threads = [threading.Thread(target=carried(run)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(
        ContactMessage.objects.exclude(situation="").values_list("situation", "outcome")
    ) == [
        ("asked", "accepted"),
        ("not_safe", "accepted"),
    ]
    assert len(sms.sent) == 2


@pytest.mark.parametrize("kind", ["withdrawn", "remove", "take_back"])
def test_a_restored_database_forgets_no_end(
    kind: str, people: People, phone: Phone, maria: SupportContact, sms: Recorder
):
    agreed(people, phone, maria, sms)
    name = f"support_contact.{kind}"
    entry = Entry(
        number=1, at=timezone.now(), kind=name, actor_id=None, patient_id=people.patient.pk,
        object_kind="support_contact", object_id=str(maria.pk),
    )  # fmt: skip
    replayer = journal.replayers[name].replayer
    found = [replayer(entry, Actor.system("replay_journal")) for _ in range(2)]
    assert found == [True, False]
    assert call(phone, maria).json()["why_not"] == "not_agreed"
