"""A clinician without a live phone is reached another way; one with a phone is not told twice."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from backend.accounts.actor import Actor
from backend.accounts.models import AuditEvent, User
from backend.notifications.models import ChannelState, ContactPoint, DeliveryAttempt, Notification
from backend.notifications.push import Channel, Outcome, Sender
from backend.notifications.selectors import delivery_is_alive
from backend.notifications.services import beat, deliver_due, pause_delivery, resume_delivery
from tests.notifications.outbox import ACUTE, NOON, RecordingSender, always, draft, queue
from tests.people import People, make_device

pytestmark = pytest.mark.usefixtures("worker_db")
LATER = NOON + timedelta(seconds=21)


class Ways:
    """The three senders, and one call with the clock standing still."""

    def __init__(self, **answers: Outcome) -> None:
        self.push, self.mail, self.sms = (
            RecordingSender(name=name, answer=always(answers.get(name, Outcome.ACCEPTED)))
            for name in ("firebase", "email", "sms")
        )

    def deliver(self, *, at: datetime = NOON) -> None:
        others: dict[Channel, Sender] = {Channel.EMAIL: self.mail, Channel.SMS: self.sms}
        deliver_due(sender=self.push, others=others, now=lambda: at)

    @property
    def counts(self) -> tuple[int, int, int]:
        return len(self.push.sent), len(self.mail.sent), len(self.sms.sent)


def point(user: User, channel: str, **values: Any) -> ContactPoint:
    address = {"email": "bob@example.org", "sms": "+15550100199"}[channel]
    return ContactPoint.objects.create(
        **{
            "user": user,
            "channel": channel,
            "address": address,
            "added_at": NOON,
            "verified_at": NOON,
            **values,
        }
    )


@pytest.fixture
def bob(people: People) -> User:
    point(people.therapist.user, "email")
    point(people.therapist.user, "sms")
    return people.therapist.user


def alert(people: People, recipient: User, **values: Any) -> Notification:
    (row,) = queue(draft(people.patient, recipient, **{**ACUTE, **values}))
    return row


def outcome(row: Notification) -> str:
    row.refresh_from_db()
    return row.outcome


def test_without_a_phone_an_urgent_message_goes_by_sms(people: People, bob: User) -> None:
    row, ways = alert(people, bob), Ways()
    ways.deliver()
    assert ways.counts == (0, 0, 1)
    assert ways.sms.targets == ["+15550100199"]
    assert outcome(row) == "accepted"
    (attempt,) = DeliveryAttempt.objects.all()
    assert (attempt.channel, attempt.device_id, attempt.outcome) == ("sms", None, "accepted")
    assert attempt.contact_point_id is not None


def test_what_is_not_urgent_goes_by_mail(people: People, bob: User) -> None:
    (row,) = queue(draft(people.patient, bob))
    ways = Ways()
    ways.deliver()
    assert ways.counts == (0, 1, 0)
    assert outcome(row) == "accepted"


def test_a_live_phone_is_enough(people: People, bob: User) -> None:
    make_device(bob)
    row, ways = alert(people, bob), Ways()
    ways.deliver()
    ways.deliver(at=NOON + timedelta(hours=1))
    assert ways.counts == (1, 0, 0)
    assert outcome(row) == "accepted"


def test_a_phone_whose_target_is_gone_makes_way(people: People, bob: User) -> None:
    make_device(bob)
    row, ways = alert(people, bob), Ways(firebase=Outcome.TARGET_GONE)
    ways.deliver()
    ways.deliver(at=NOON + timedelta(seconds=6))
    assert ways.counts == (1, 0, 1)
    assert outcome(row) == "accepted"


def test_a_silent_provider_is_given_some_time(people: People, bob: User) -> None:
    make_device(bob)
    row, ways = alert(people, bob), Ways(firebase=Outcome.UNKNOWN)
    ways.deliver()
    ways.deliver(at=NOON + timedelta(seconds=10))
    assert ways.counts == (2, 0, 0)
    ways.deliver(at=LATER)
    assert ways.counts == (3, 0, 1)
    assert outcome(row) == ""  # the phone is still tried on
    ways.push.answer = always(Outcome.ACCEPTED)
    ways.deliver(at=LATER + timedelta(seconds=3))
    assert ways.counts == (4, 0, 1)
    assert outcome(row) == "accepted"


def test_a_stopped_channel_keeps_nobody_waiting(people: People, bob: User) -> None:
    make_device(bob)
    ChannelState.objects.create(channel="firebase", stopped_until=NOON + timedelta(minutes=1))
    row, ways = alert(people, bob), Ways()
    ways.deliver()
    assert ways.counts == (0, 0, 1)
    assert outcome(row) == ""
    ways.deliver(at=NOON + timedelta(minutes=2))
    assert ways.counts == (1, 0, 1)
    assert outcome(row) == "accepted"


def test_a_patient_waits_for_the_channel_and_is_never_written_to(people: People) -> None:
    make_device(people.patient_user)
    point(people.patient_user, "sms")
    ChannelState.objects.create(channel="firebase", stopped_until=NOON + timedelta(minutes=1))
    (row,) = queue(draft(people.patient, people.patient_user, **ACUTE))
    ways = Ways()
    ways.deliver()
    assert ways.counts == (0, 0, 0)
    ways.deliver(at=NOON + timedelta(minutes=2))
    assert ways.counts == (1, 0, 0)
    assert outcome(row) == "accepted"


def test_sms_that_is_refused_makes_way_for_mail(people: People, bob: User) -> None:
    row, ways = alert(people, bob), Ways(sms=Outcome.OUR_FAULT)
    ways.deliver()
    assert ways.counts == (0, 0, 1)
    ways.deliver(at=NOON + timedelta(seconds=3))
    assert ways.counts == (0, 1, 1)
    assert outcome(row) == "accepted"
    assert ChannelState.objects.get(channel="sms").stopped_until is not None
    assert not ContactPoint.objects.filter(retired_at__isnull=False).exists()


def test_a_number_that_is_gone_is_retired_and_nothing_else(people: People, bob: User) -> None:
    row, ways = alert(people, bob), Ways(sms=Outcome.TARGET_GONE)
    ways.deliver()
    ways.deliver(at=NOON + timedelta(seconds=6))
    assert ways.counts == (0, 1, 1)
    assert outcome(row) == "accepted"
    retired = ContactPoint.objects.filter(retired_at__isnull=False)
    assert [(one.channel, one.retired_reason) for one in retired] == [("sms", "target_gone")]
    assert AuditEvent.objects.filter(action="contact_point.retire").count() == 1


def test_a_rate_limit_is_kept(people: People, bob: User) -> None:
    ContactPoint.objects.filter(channel="email").delete()
    row, ways = alert(people, bob), Ways()
    ways.sms.answer = always(Outcome.RATE_LIMITED, retry_after=timedelta(seconds=30))
    ways.deliver()
    ways.deliver(at=NOON + timedelta(seconds=29))
    assert ways.counts == (0, 0, 1)
    ways.sms.answer = always(Outcome.ACCEPTED)
    ways.deliver(at=NOON + timedelta(seconds=31))
    assert ways.counts == (0, 0, 2)
    assert outcome(row) == "accepted"


@pytest.mark.parametrize(
    "values", [{"verified_at": None}, {"retired_at": NOON, "retired_reason": "removed"}]
)
def test_an_address_that_is_not_in_use_gets_nothing(people: People, values: dict[str, Any]) -> None:
    point(people.therapist.user, "sms", **values)
    row, ways = alert(people, people.therapist.user), Ways()
    ways.deliver()
    assert ways.counts == (0, 0, 0)
    assert outcome(row) == ""


def test_urgent_only_means_that(people: People) -> None:
    user = people.therapist.user
    point(user, "email", acute_only=True)
    (row,) = queue(draft(people.patient, user))
    ways = Ways()
    ways.deliver()
    assert ways.counts == (0, 0, 0)
    urgent = alert(people, user)
    ways.deliver()
    assert ways.counts == (0, 1, 0)
    assert outcome(urgent) == "accepted"
    assert outcome(row) == "no_device"


def test_who_may_no_longer_see_the_patient_is_not_written_to(people: People, bob: User) -> None:
    row, ways = alert(people, bob), Ways()
    people.patient.care_team.update(ended_on=date(2025, 1, 7))
    ways.deliver()
    assert ways.counts == (0, 0, 0)
    assert outcome(row) == "cancelled"


def test_no_text_says_anything(people: People, bob: User) -> None:
    alert(people, bob)
    ways = Ways()
    ways.deliver()
    (sent,) = ways.sms.sent
    assert (sent.title, sent.body) == ("Handrail", "You have a new message.")


def test_trouble_behind_the_phones_breaks_no_promise(people: People) -> None:
    beat(process="relay", now=NOON)
    for channel in ("email", "sms", "web_push"):
        ChannelState.objects.create(channel=channel, stopped_until=NOON + timedelta(minutes=1))
    assert delivery_is_alive(now=NOON)
    ChannelState.objects.create(channel="firebase", stopped_until=NOON + timedelta(minutes=1))
    assert not delivery_is_alive(now=NOON)


def test_nothing_is_sent_or_promised_while_delivery_is_paused(people: People, bob: User) -> None:
    make_device(people.patient_user)
    beat(process="relay", now=NOON)
    rows = [alert(people, bob), *queue(draft(people.patient, people.patient_user, **ACUTE))]
    system = Actor.system("tests")
    pause_delivery(actor=system, reason="restored", now=NOON)
    ways = Ways()
    ways.deliver()
    assert ways.counts == (0, 0, 0)
    assert not delivery_is_alive(now=NOON)
    assert set(Notification.objects.values_list("attempts", flat=True)) == {0}
    resume_delivery(actor=system, now=NOON)
    ways.deliver()
    assert ways.counts == (1, 0, 1)
    assert [outcome(row) for row in rows] == ["accepted", "accepted"]
    assert delivery_is_alive(now=NOON)
