"""Either consumer alone delivers: the relay without any broker, Celery without the relay."""

from __future__ import annotations

import json
import signal
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from pytest_django.fixtures import Settings

from backend.notifications.models import Heartbeat, Notification
from backend.notifications.selectors import delivery_is_alive
from local.fcm import LocalFcm
from tests.channels.answering import answering
from tests.channels.test_web_push import OUR_PUBLIC_KEY, OURS, subscription
from tests.notifications.outbox import ACUTE, draft, queue
from tests.people import People, make_device
from tests.phones import Phone
from tests.worker.processes import BEAT, RELAY, WORKER, Processes, wait_for

pytestmark = pytest.mark.usefixtures("committed_db")


def one(people: People, **values: Any) -> Notification:
    """Stored in a transaction of its own, as a request would."""
    now = datetime.now(UTC)
    with transaction.atomic():
        (row,) = queue(
            draft(people.patient, people.patient_user, now=now, **{**ACUTE, **values}), now=now
        )
    return row


def is_accepted(row: Notification) -> bool:
    row.refresh_from_db()
    return row.outcome == "accepted"


def test_the_relay_delivers_without_any_broker(
    people: People, processes: Processes, fcm: LocalFcm
) -> None:
    make_device(people.patient_user, "a-phone")
    assert not delivery_is_alive(now=datetime.now(UTC))
    processes.start(RELAY, redis_url="none")
    before = one(people)
    assert wait_for(lambda: is_accepted(before)), processes.output
    assert wait_for(lambda: delivery_is_alive(now=datetime.now(UTC)))
    began = time.monotonic()
    after = one(people)
    assert wait_for(lambda: is_accepted(after))
    assert time.monotonic() - began < 2
    received = fcm.inbox.listed()
    assert [one.target for one in received] == ["a-phone", "a-phone"]
    assert [one.message["data"] for one in received] == [
        {"notification_id": str(before.pk)},
        {"notification_id": str(after.pk)},
    ]


def test_the_relay_pushes_to_a_browser_that_asked_for_its_key(
    people: People, processes: Processes, fcm: LocalFcm, settings: Settings
) -> None:
    settings.WEB_PUSH_LOCAL = True
    processes.start(
        RELAY, VAPID_PRIVATE_KEY=OURS, VAPID_SUBJECT="mailto:us@example.org", WEB_PUSH_LOCAL="1"
    )
    page = Phone.of(people.patient_user)
    assert wait_for(lambda: page.get("/web-push-key").status_code == 200), processes.output
    assert page.get("/web-push-key").json()["public_key"] == OUR_PUBLIC_KEY
    with answering() as service:
        service.status = 201
        body = {"kind": "web_push", "subscription": json.loads(subscription(f"{service.url}/p"))}
        assert page.put(f"/devices/{uuid4()}", body).status_code == 201
        row = one(people)
        assert wait_for(lambda: is_accepted(row)), processes.output
        assert [asked.path for asked in service.asked] == ["/p"]
    assert f"k={OUR_PUBLIC_KEY}" in service.asked[0].headers["authorization"]
    assert fcm.inbox.listed() == []
    assert service.url not in processes.output


def test_a_celery_worker_delivers_what_it_is_woken_for(
    people: People, processes: Processes, fcm: LocalFcm, broker: str
) -> None:
    make_device(people.patient_user)
    worker = processes.start(WORKER, redis_url=broker)
    rows = [one(people)]
    assert wait_for(lambda: is_accepted(rows[0])), processes.output
    rows.append(one(people, key="second"))
    assert wait_for(lambda: is_accepted(rows[1]), seconds=5), processes.output
    assert Heartbeat.objects.filter(process="worker").exists()
    later = one(people, due_at=datetime.now(UTC) + timedelta(seconds=1))
    assert not wait_for(lambda: is_accepted(later), seconds=3)  # nobody wakes it for that
    processes.start(BEAT, redis_url=broker)
    assert wait_for(lambda: is_accepted(later)), processes.output
    assert [one.repeat for one in fcm.inbox.listed()] == [False] * 3
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(20) == 0


def test_all_of_them_together_send_each_message_once(
    people: People, processes: Processes, fcm: LocalFcm, broker: str
) -> None:
    make_device(people.patient_user)
    for command in (RELAY, RELAY, WORKER, BEAT):
        processes.start(command, redis_url=broker)
    rows = [one(people, **({} if n % 2 else {"priority": 5})) for n in range(100)]
    accepted = Notification.objects.filter(outcome="accepted")
    assert wait_for(lambda: accepted.count() == len(rows), seconds=40), processes.output
    assert [received.repeat for received in fcm.inbox.listed()] == [False] * len(rows)


@pytest.mark.parametrize("command", [RELAY, WORKER])
def test_nothing_starts_that_could_not_send(
    processes: Processes, broker: str, command: tuple[str, ...]
) -> None:
    process = processes.start(command, redis_url=broker, fcm_endpoint="")
    assert process.wait(20) != 0
    assert "credentials file or a local endpoint" in processes.output


def test_celery_does_not_look_for_a_broker_that_was_not_named(processes: Processes) -> None:
    process = processes.start(WORKER, redis_url="none")
    assert process.wait(20) != 0
    assert "names no broker" in processes.output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_relay_ends_soon_and_well_when_asked_to(
    processes: Processes, number: signal.Signals
) -> None:
    relay = processes.start(RELAY)
    assert wait_for(lambda: Heartbeat.objects.exists()), processes.output
    began = time.monotonic()
    relay.send_signal(number)
    assert relay.wait(10) == 0
    assert time.monotonic() - began < 2
    assert "relay_stopped" in processes.output


def test_the_relay_ends_its_batch_before_it_ends(
    people: People, processes: Processes, fcm: LocalFcm
) -> None:
    make_device(people.patient_user)
    relay = processes.start(RELAY)
    first = one(people)
    assert wait_for(lambda: is_accepted(first)), processes.output
    fcm.behaviour.set("ok", latency_ms=1500)
    row = one(people)
    assert wait_for(lambda: _is_leased(row))
    relay.send_signal(signal.SIGTERM)
    assert relay.wait(10) == 0
    assert is_accepted(row)


def _is_leased(row: Notification) -> bool:
    row.refresh_from_db()
    return row.lease_token is not None


def test_logs_tell_the_job_and_never_the_target_or_the_text(
    people: People, processes: Processes
) -> None:
    make_device(people.patient_user, "canary-target")
    processes.start(RELAY)
    row = one(people, text_facts={"note": "canary-note"}, subject="canary-subject")
    assert wait_for(lambda: is_accepted(row))
    assert wait_for(lambda: "job_done" in processes.output)
    assert "handrail.deliver_due" in processes.output
    assert "canary" not in processes.output
