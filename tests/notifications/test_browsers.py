"""Messages to browsers go by their own push service and by no other way: pywebpush itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from pytest_django.fixtures import Settings

from backend.accounts.models import AuditEvent, Device, User
from backend.notifications.models import ChannelState, DeliveryAttempt, Notification
from backend.notifications.push import Channel, Outcome, SendResult
from backend.notifications.selectors import delivery_is_alive, stopped_services
from backend.notifications.services import beat, deliver_due, repeat_unconfirmed
from backend.notifications.services.channels import note_results
from tests.channels.answering import Answering, answering
from tests.channels.test_web_push import sender as web_push_sender
from tests.channels.test_web_push import subscription
from tests.notifications.outbox import NOON, RecordingSender, always, draft, queue
from tests.people import People, make_device
from tests.phones import Phone

pytestmark = pytest.mark.usefixtures("worker_db")


@pytest.fixture
def service(settings: Settings) -> Iterator[Answering]:
    settings.WEB_PUSH_LOCAL = True
    with answering() as server:
        server.status = 201
        yield server


class Ways:
    """Both senders, and one call with the clock standing still."""

    def __init__(self, *, browsers: Outcome | None = None) -> None:
        self.push = RecordingSender(name="firebase")
        self.web: Any = web_push_sender()
        if browsers is not None:
            self.web = RecordingSender(name="web_push", answer=always(browsers))

    def deliver(self, *, after: timedelta = timedelta(0)) -> None:
        deliver_due(sender=self.push, others={Channel.WEB_PUSH: self.web}, now=lambda: NOON + after)

    def repeat(self, *, after: timedelta) -> None:
        repeat_unconfirmed(
            sender=self.push, others={Channel.WEB_PUSH: self.web}, now=lambda: NOON + after
        )


def browser(user: User, service: Answering, name: str = "one") -> Phone:
    """A page that has signed in and registered what its browser subscribed to."""
    phone = Phone.of(user)
    given = json.loads(subscription(f"{service.url}/p/{name}"))
    body = {"kind": "web_push", "subscription": given}
    assert phone.put(f"/devices/{uuid4()}", body).status_code == 201
    return phone


def paths(service: Answering) -> list[str]:
    return [asked.path for asked in service.asked]


def message(people: People) -> Notification:
    (row,) = queue(draft(people.patient, people.patient_user))
    return row


def outcome(row: Notification) -> str:
    row.refresh_from_db()
    return row.outcome


def test_a_browser_is_sent_to_by_its_service_alone(people: People, service: Answering) -> None:
    browser(people.patient_user, service)
    row, ways = message(people), Ways()
    ways.deliver()
    assert (paths(service), ways.push.sent) == (["/p/one"], [])
    assert outcome(row) == "accepted"
    (attempt,) = DeliveryAttempt.objects.all()
    assert (attempt.channel, attempt.outcome) == ("web_push", "accepted")


def test_a_phone_beside_it_is_pushed_to_as_ever(people: People, service: Answering) -> None:
    browser(people.patient_user, service)
    make_device(people.patient_user, "the-phone")
    row, ways = message(people), Ways()
    ways.deliver()
    assert (paths(service), ways.push.targets) == (["/p/one"], ["the-phone"])
    assert outcome(row) == "accepted"


@pytest.mark.parametrize("status", [404, 410])
def test_one_that_is_gone_is_retired_and_nothing_else(
    people: People, service: Answering, status: int
) -> None:
    phone = browser(people.patient_user, service)
    make_device(people.patient_user, "the-phone")
    service.status = status
    row, ways = message(people), Ways()
    ways.deliver()
    assert outcome(row) == "accepted"
    gone = Device.objects.filter(unbound_at__isnull=False)
    assert [(one.kind, one.unbound_reason) for one in gone] == [("web_push", "target_gone")]
    assert AuditEvent.objects.filter(action="device.retire").count() == 1
    assert phone.get("/devices").status_code == 200
    message(people)
    ways.deliver()
    assert (len(service.asked), ways.push.targets) == (1, ["the-phone"] * 2)


def test_what_was_queued_does_not_reach_who_signed_out(people: People, service: Answering) -> None:
    phone = browser(people.patient_user, service)
    row, ways = message(people), Ways()
    assert phone.post("/sign-out").status_code == 204
    ways.deliver()
    assert service.asked == []
    assert outcome(row) == "no_device"


def test_what_was_queued_does_not_reach_whom_it_was_handed_to(
    people: People, service: Answering
) -> None:
    browser(people.patient_user, service)
    row, ways = message(people), Ways()
    other = people.other_patient.user
    assert other is not None
    browser(other, service)
    ways.deliver()
    assert service.asked == []
    assert outcome(row) == "no_device"


def test_without_a_key_of_ours_browsers_are_as_if_not_there(
    people: People, service: Answering
) -> None:
    browser(people.patient_user, service)
    row, push = message(people), RecordingSender(name="firebase")
    deliver_due(sender=push, now=lambda: NOON)
    assert (service.asked, push.sent) == ([], [])
    assert outcome(row) == "no_device"


def test_a_service_in_trouble_is_tried_again(people: People, service: Answering) -> None:
    browser(people.patient_user, service)
    service.status = 503
    row, ways = message(people), Ways()
    ways.deliver()
    assert outcome(row) == ""
    service.status = 201
    ways.deliver(after=timedelta(seconds=2))
    assert (len(service.asked), outcome(row)) == (2, "accepted")


def test_an_unconfirmed_message_is_repeated_once_to_the_same_browser(
    people: People, service: Answering
) -> None:
    browser(people.patient_user, service)
    row, ways = message(people), Ways()
    ways.deliver()
    for minutes in (31, 70):
        ways.repeat(after=timedelta(minutes=minutes))
    assert paths(service) == ["/p/one"] * 2
    topics = {asked.headers["topic"] for asked in service.asked}
    assert topics == {row.pk.hex}
    assert ways.push.sent == []


def test_a_confirmed_message_is_not_repeated(people: People, service: Answering) -> None:
    page = browser(people.patient_user, service)
    row, ways = message(people), Ways()
    ways.deliver()
    receipt = {"id": str(row.pk), "event": "received", "at": NOON.isoformat()}
    answer = page.post("/me/notifications/receipts", {"receipts": [receipt]})
    assert answer.json()["recorded"] == 1
    ways.repeat(after=timedelta(minutes=31))
    assert paths(service) == ["/p/one"]


# A service that refuses us ------------------------------------------------------------------------


@pytest.fixture
def other(settings: Settings) -> Iterator[Answering]:
    with answering() as server:
        server.status = 201
        yield server


@pytest.mark.parametrize("status", [401, 403])
def test_a_service_that_refuses_us_is_stopped_and_the_others_are_not(
    people: People, service: Answering, other: Answering, status: int
) -> None:
    browser(people.patient_user, service)
    browser(people.therapist.user, other)
    service.status, ways = status, Ways()
    waits = message(people)
    ways.deliver()
    (attempt,) = DeliveryAttempt.objects.all()
    assert (attempt.outcome, outcome(waits)) == ("our_fault", "")
    state = ChannelState.objects.get(channel="web_push")
    assert (state.stopped_until, list(state.services)) == (None, [urlsplit(service.url).netloc])
    (goes,) = queue(draft(people.patient, people.therapist.user))
    ways.deliver(after=timedelta(seconds=4))
    assert outcome(goes) == "accepted"
    assert (len(service.asked), len(other.asked)) == (1, 1)


def test_what_waits_for_a_stopped_service_counts_no_try_and_leaves_once_it_works(
    people: People, service: Answering
) -> None:
    browser(people.patient_user, service)
    service.status, ways = 403, Ways()
    row = message(people)
    ways.deliver()
    ways.deliver(after=timedelta(seconds=4))
    row.refresh_from_db()
    assert (len(service.asked), row.attempts, row.outcome) == (1, 0, "")
    assert not Device.objects.filter(unbound_at__isnull=False).exists()
    service.status = 201
    ways.deliver(after=timedelta(minutes=2))
    assert outcome(row) == "accepted"
    assert ChannelState.objects.get(channel="web_push").services == {}


def test_a_service_is_stopped_for_longer_each_time_up_to_a_limit() -> None:
    refused = SendResult(Outcome.OUR_FAULT, error="WebPush403", service="one.example.org")
    at, stops = NOON, []
    for _ in range(20):
        note_results(channel="web_push", results=[refused], now=at)
        (said,) = ChannelState.objects.get().services.values()
        until = datetime.fromisoformat(said["stopped_until"])
        stops.append((until - at).total_seconds())
        assert stopped_services(now=at) == {"one.example.org"}
        at = until
    assert (stops[0], stops[-1], stops == sorted(stops)) == (5, 60, True)
    assert stopped_services(now=at) == frozenset()


def test_a_browser_beside_a_phone_never_stops_what_patients_are_promised(
    people: People, service: Answering
) -> None:
    browser(people.patient_user, service)
    service.status = 403
    beat(process="relay", now=NOON)
    message(people)
    Ways().deliver()
    assert delivery_is_alive(now=NOON)
