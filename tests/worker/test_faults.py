"""What is killed, frozen or gone delays a message; it never loses one."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
import redis
from celery import Celery
from django.db import transaction
from psycopg import sql

from backend.notifications.models import DeliveryAttempt, Heartbeat, Notification
from backend.queue import QUEUES, Job
from local.fcm import LocalFcm
from local.postgres import WORKER as WORKER_ROLE
from local.pytest_servers import database_name
from local.valkey import Valkey
from tests.conftest import scope_of
from tests.notifications.outbox import ACUTE, draft, queue
from tests.people import People, make_device
from tests.worker.processes import RELAY, WORKER, Processes, wait_for

pytestmark = pytest.mark.usefixtures("committed_db")


def test_these_run_in_one_process(request: pytest.FixtureRequest) -> None:
    """They cut roles off from the database that the others use, too."""
    assert scope_of(request.node.nodeid) == scope_of("tests/worker/test_relay.py::test") == "worker"
    assert scope_of("tests/accounts/test_tokens.py::test") == "tests/accounts/test_tokens.py"


def one(people: People, **values: Any) -> Notification:
    now = datetime.now(UTC)
    with transaction.atomic():
        (row,) = queue(
            draft(people.patient, people.patient_user, now=now, **{**ACUTE, **values}), now=now
        )
    return row


def is_accepted(row: Notification) -> bool:
    row.refresh_from_db()
    return row.outcome == "accepted"


def is_leased(row: Notification) -> bool:
    row.refresh_from_db()
    return row.lease_token is not None


def let_leases_run_out() -> None:
    """Twenty seconds in no time."""
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as connection:
        connection.execute(
            "UPDATE notifications_notification SET lease_expires_at = now()"
            " WHERE lease_token IS NOT NULL"
        )


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextmanager
def database_gone() -> Iterator[None]:
    """For the worker role: its sessions are ended and new ones refused."""
    name, role = sql.Identifier(database_name()), sql.Identifier(WORKER_ROLE)
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as connection:
        connection.execute(sql.SQL("REVOKE CONNECT ON DATABASE {} FROM {}").format(name, role))
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s",
            [WORKER_ROLE],
        )
        try:
            yield
        finally:
            connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(name, role))


@pytest.mark.parametrize("command", [RELAY, WORKER])
def test_a_sender_killed_in_the_middle_of_a_send_is_followed_by_another(
    people: People,
    processes: Processes,
    fcm: LocalFcm,
    broker: str,
    command: tuple[str, ...],
) -> None:
    make_device(people.patient_user)
    fcm.behaviour.set("ok", latency_ms=3000, times=1)
    doomed = processes.start(command, redis_url=broker)
    row = one(people)
    assert wait_for(lambda: not fcm.behaviour.listed()), processes.output  # it is being answered
    processes.kill(doomed)
    assert wait_for(lambda: fcm.inbox.listed())
    assert not DeliveryAttempt.objects.exists()
    processes.start(RELAY)
    assert wait_for(lambda: Heartbeat.objects.filter(process="relay").exists())
    assert not is_accepted(row)  # the lease still stands
    let_leases_run_out()
    assert wait_for(lambda: is_accepted(row)), processes.output
    assert [received.repeat for received in fcm.inbox.listed()] == [False, True]


def test_the_relay_delivers_while_the_broker_is_frozen(
    people: People, processes: Processes, own_broker: tuple[Valkey, int]
) -> None:
    """More than a batch, so that the relay itself tries to wake others through the broker."""
    make_device(people.patient_user)
    valkey, pid = own_broker
    with frozen(pid):
        processes.start(RELAY, redis_url=valkey.url())
        rows = [one(people) for _ in range(120)]
        began = time.monotonic()
        assert wait_for(lambda: all(is_accepted(row) for row in rows)), processes.output
        assert time.monotonic() - began < 15


def test_celery_goes_on_after_its_broker_was_frozen(
    people: People, processes: Processes, own_broker: tuple[Valkey, int]
) -> None:
    make_device(people.patient_user)
    valkey, pid = own_broker
    worker = processes.start(WORKER, redis_url=valkey.url())
    with redis.Redis.from_url(valkey.url()) as client:
        first = one(people)
        wake(client)
        assert wait_for(lambda: is_accepted(first)), processes.output
        with frozen(pid):
            second = one(people)
            time.sleep(8)  # longer than the worker's patience with a silent broker
        wake(client)
        assert wait_for(lambda: is_accepted(second), seconds=30), processes.output
    assert worker.poll() is None


def test_celery_goes_on_when_the_broker_drops_in_the_middle_of_a_task(
    people: People, processes: Processes, fcm: LocalFcm, own_broker: tuple[Valkey, int]
) -> None:
    """A later release exits here with the task unacknowledged: the reason for the pin."""
    make_device(people.patient_user)
    valkey, _ = own_broker
    fcm.behaviour.set("ok", latency_ms=2500, times=1)
    worker = processes.start(WORKER, redis_url=valkey.url())
    with redis.Redis.from_url(valkey.url()) as client:
        row = one(people)
        wake(client)
        assert wait_for(lambda: not fcm.behaviour.listed()), processes.output
        for kind in ("normal", "pubsub"):
            client.execute_command("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")
        assert wait_for(lambda: is_accepted(row)), processes.output
        after = one(people)
        wake(client)
        assert wait_for(lambda: is_accepted(after), seconds=30), processes.output
    assert worker.poll() is None
    assert [received.repeat for received in fcm.inbox.listed()] == [False, False]


def wake(client: redis.Redis) -> None:
    """A wake-up as the web process publishes it, to the broker of this test."""
    url = client.connection_pool.connection_kwargs
    address = f"redis://:{url['password']}@{url['host']}:{url['port']}/0"
    with Celery("test", broker=address, set_as_current=False) as sender:
        sender.send_task(Job.DELIVER_DUE.value, queue=QUEUES[Job.DELIVER_DUE], ignore_result=True)


def test_the_relay_outlives_a_database_that_goes_away_and_comes_back(
    people: People, processes: Processes
) -> None:
    make_device(people.patient_user)
    relay = processes.start(RELAY)
    before = one(people)
    assert wait_for(lambda: is_accepted(before)), processes.output
    with database_gone():
        during = one(people)
        assert wait_for(lambda: "round_failed" in processes.output)
        assert not wait_for(lambda: is_accepted(during), seconds=2)
        assert relay.poll() is None
    assert wait_for(lambda: is_accepted(during), seconds=15), processes.output
    relay.send_signal(signal.SIGTERM)
    assert relay.wait(10) == 0


def test_the_relay_starts_before_its_database_does(people: People, processes: Processes) -> None:
    make_device(people.patient_user)
    row = one(people)
    with database_gone():
        relay = processes.start(RELAY)
        assert wait_for(lambda: "round_failed" in processes.output), processes.output
    assert wait_for(lambda: is_accepted(row), seconds=15), processes.output
    assert relay.poll() is None


def test_a_provider_that_hangs_on_others_does_not_hold_up_an_acute_message(
    people: People, processes: Processes, fcm: LocalFcm
) -> None:
    make_device(people.therapist.user, "hangs")
    make_device(people.patient_user, "answers")
    fcm.behaviour.set("hang", target="hangs")
    processes.start(RELAY)
    first = one(people)
    assert wait_for(lambda: is_accepted(first)), processes.output
    now = datetime.now(UTC)
    with transaction.atomic():
        (calm,) = queue(draft(people.patient, people.therapist.user, now=now), now=now)
    assert wait_for(lambda: is_leased(calm))
    began = time.monotonic()
    acute = one(people)
    assert wait_for(lambda: is_accepted(acute))
    assert time.monotonic() - began < 2
    assert is_leased(calm)  # it hung all the while


@pytest.mark.parametrize(
    "mode",
    ["unavailable", "internal", "garbage", "reset", "quota", "permission_denied", "not_found"],
)
def test_a_message_outlives_whatever_the_provider_does(
    people: People, processes: Processes, fcm: LocalFcm, mode: str
) -> None:
    make_device(people.patient_user)
    fcm.behaviour.set(mode, times=1)
    processes.start(RELAY)
    row = one(people)
    assert wait_for(lambda: is_accepted(row)), processes.output
    assert [received.repeat for received in fcm.inbox.listed()] == [False]
    assert DeliveryAttempt.objects.filter(notification=row).count() == 2


def test_what_was_delivered_without_an_answer_comes_again_under_the_same_id(
    people: People, processes: Processes, fcm: LocalFcm
) -> None:
    make_device(people.patient_user)
    fcm.behaviour.set("unavailable_but_delivered", times=1)
    processes.start(RELAY)
    row = one(people)
    assert wait_for(lambda: is_accepted(row)), processes.output
    assert [received.repeat for received in fcm.inbox.listed()] == [False, True]
