"""The loops of the relay, in this process: none holds up another, none ends by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import time_machine

from backend.notifications.models import Heartbeat, Notification
from backend.notifications.selectors import database_now
from backend.notifications.services import Lane
from backend.notifications.services.leases import LEASE, claim
from local.fcm import LocalFcm
from tests.notifications.outbox import ACUTE, draft, queue
from tests.people import People, make_device
from tests.worker.processes import wait_for
from worker import relay as relay_module
from worker.loop import LONGEST_PAUSE, Loop
from worker.relay import Relay
from worker.sending import push_sender

SOON = timedelta(milliseconds=10)


@pytest.fixture
def sending(settings: Any, fcm: LocalFcm) -> Iterator[None]:
    """This process sends to the FCM of the test."""
    settings.FCM_ENDPOINT, settings.FIREBASE_CREDENTIALS = fcm.url, ""
    push_sender.cache_clear()
    yield
    push_sender.cache_clear()


@contextmanager
def running(run: Callable[[], int], every: timedelta = SOON) -> Iterator[Loop]:
    stopping = threading.Event()
    loop = Loop("test", every, run, stopping)
    loop.start()
    try:
        yield loop
    finally:
        stopping.set()
        Loop.join_all([loop], within=timedelta(seconds=5))


@contextmanager
def relaying(**sweeps: tuple[timedelta, Callable[[], int]]) -> Iterator[Relay]:
    relay, end = Relay(sweeps=sweeps), threading.Event()
    thread = threading.Thread(target=relay.run, kwargs={"until": end.wait})
    thread.start()
    try:
        yield relay
    finally:
        end.set()
        thread.join(15)
        assert not thread.is_alive()


def one(people: People) -> Notification:
    now = datetime.now(UTC)
    (row,) = queue(draft(people.patient, people.patient_user, now=now, **ACUTE), now=now)
    return row


def is_accepted(row: Notification) -> bool:
    row.refresh_from_db()
    return row.outcome == "accepted"


def test_a_loop_goes_on_after_errors_and_waits_longer_each_time() -> None:
    calls: list[float] = []

    def fail() -> int:
        calls.append(time.monotonic())
        if len(calls) <= 5:
            raise ValueError
        return 0

    with running(fail) as loop:
        assert not loop.last_round_within(timedelta(0))
        assert wait_for(lambda: len(calls) > 10)
    waits = [after - before for before, after in pairwise(calls)]
    assert waits[4] > 4 * waits[0]
    assert max(waits[6:]) < waits[4]


def test_the_wait_after_errors_has_a_limit() -> None:
    def fail() -> int:
        raise ValueError

    loop = Loop("test", timedelta(seconds=2), fail, threading.Event())
    assert [loop._round() for _ in range(20)][-1] == LONGEST_PAUSE


def test_a_loop_that_found_something_looks_again_at_once() -> None:
    found = iter([3, 3, 3])
    with running(lambda: next(found, 0), every=timedelta(seconds=30)):
        assert wait_for(lambda: next(found, None) is None, seconds=2)


def test_a_round_that_failed_is_no_sign_of_life() -> None:
    def fail() -> int:
        raise ValueError

    with running(fail) as loop:
        time.sleep(0.3)
        assert not loop.last_round_within(timedelta(seconds=0.2))
        assert loop.last_round_within(timedelta(seconds=5))


@pytest.mark.usefixtures("committed_db", "sending")
def test_a_slow_sweep_holds_up_neither_delivery_nor_another_sweep(people: People) -> None:
    make_device(people.patient_user)
    let_go, quick = threading.Event(), []

    def slow() -> int:
        let_go.wait(20)
        return 0

    def count() -> int:
        quick.append(1)
        return 0

    with relaying(slow=(SOON, slow), quick=(SOON, count)):
        row = one(people)
        assert wait_for(lambda: is_accepted(row))
        assert wait_for(lambda: len(quick) > 3)
        assert wait_for(lambda: Heartbeat.objects.exists())
        let_go.set()


@pytest.mark.usefixtures("committed_db", "sending")
def test_there_is_no_heartbeat_while_delivery_does_not_go_round(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> int:
        raise ValueError

    monkeypatch.setattr(relay_module, "STALLED_AFTER", timedelta(seconds=0.1))
    monkeypatch.setattr(relay_module, "BEAT_EVERY", timedelta(seconds=0.2))
    monkeypatch.setattr(relay_module, "_deliver_acute", fail)
    with relaying():
        time.sleep(0.5)
        Heartbeat.objects.all().delete()
        assert not wait_for(lambda: Heartbeat.objects.exists(), seconds=1)


@pytest.mark.usefixtures("committed_db", "sending")
def test_a_clock_that_is_wrong_breaks_no_lease(people: People, fcm: LocalFcm) -> None:
    make_device(people.patient_user)
    row = one(people)
    held = claim(lane=Lane.ALL, suspects=False, limit=1, now=database_now())
    assert held.ids == [row.pk]
    with time_machine.travel(datetime.now(UTC) + 10 * LEASE):
        assert relay_module._deliver_acute() == 0
    assert fcm.inbox.listed() == []
