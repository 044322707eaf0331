"""How long a send may take, whatever FCM does."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from email.utils import format_datetime

import pytest

from backend.notifications.push import Outcome, SendResult
from local.fcm import LocalFcm, Mode
from tests.channels.conftest import NOW, message
from worker.channels.fcm_answer import read_failure
from worker.channels.push import FirebaseSender

SLACK = 1.0  # on top of the hasty sender's one second


def test_retry_after_is_reported_and_not_slept_through(
    fcm: LocalFcm, sender: FirebaseSender
) -> None:
    fcm.behaviour.set(Mode.QUOTA, retry_after=30)
    began = time.monotonic()
    [result] = sender.send([message()], now=NOW)
    assert time.monotonic() - began < 2
    assert result == SendResult(
        Outcome.RATE_LIMITED, retry_after=timedelta(seconds=30), error="QuotaExceededError"
    )


def test_retry_after_of_an_outage_is_reported_too(fcm: LocalFcm, sender: FirebaseSender) -> None:
    fcm.behaviour.set(Mode.UNAVAILABLE, retry_after=7)
    began = time.monotonic()
    [result] = sender.send([message()], now=NOW)
    assert time.monotonic() - began < 2
    assert (result.outcome, result.retry_after) == (Outcome.UNKNOWN, timedelta(seconds=7))


def test_no_retry_after_is_none(fcm: LocalFcm, sender: FirebaseSender) -> None:
    fcm.behaviour.set(Mode.QUOTA)
    assert sender.send([message()], now=NOW)[0].retry_after is None


class _Refusal(Exception):
    def __init__(self, retry_after: str) -> None:
        super().__init__()
        self.http_response = type("Response", (), {"headers": {"Retry-After": retry_after}})()


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("0", timedelta(0)),
        (" 12 ", timedelta(seconds=12)),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), timedelta(seconds=90)),
        (format_datetime(NOW - timedelta(hours=1), usegmt=True), timedelta(0)),
        ("9" * 40, timedelta(days=1)),
        ("soon", None),
        ("-5", None),
        ("²", None),
        ("", None),
    ],
)
def test_retry_after_forms(header: str, wait: timedelta | None) -> None:
    assert read_failure(_Refusal(header), table=(), now=NOW).retry_after == wait


def test_a_hang_ends_with_the_time_out(fcm: LocalFcm, hasty_sender: FirebaseSender) -> None:
    fcm.behaviour.set(Mode.HANG)
    began = time.monotonic()
    [result] = hasty_sender.send([message()], now=NOW)
    assert 0.9 < time.monotonic() - began < 1 + SLACK
    assert result.outcome is Outcome.UNKNOWN
    assert fcm.messages == []


def test_hanging_messages_hold_no_other(fcm: LocalFcm, hasty_sender: FirebaseSender) -> None:
    fcm.behaviour.set(Mode.HANG, target="stuck")
    batch = [message("stuck") if n % 4 == 0 else message("fine") for n in range(100)]
    began = time.monotonic()
    results = hasty_sender.send(batch, now=NOW)
    assert time.monotonic() - began < 1 + SLACK
    outcomes = [result.outcome for result in results]
    assert outcomes == [Outcome.UNKNOWN, *[Outcome.ACCEPTED] * 3] * 25


def test_the_bound_grows_with_the_chunks(fcm: LocalFcm, hasty_sender: FirebaseSender) -> None:
    fcm.behaviour.set(Mode.HANG)
    began = time.monotonic()
    results = hasty_sender.send([message() for _ in range(101)], now=NOW)
    assert time.monotonic() - began < 2 * (1 + SLACK)
    assert {result.outcome for result in results} == {Outcome.UNKNOWN}
    assert len(results) == 101


@pytest.fixture
def dripping_endpoint() -> Iterator[str]:
    """Answers one byte at a time, so that no single read ever times out."""
    done = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        connection, _ = listener.accept()
        with connection:
            while not done.wait(0.1):
                connection.send(b"H")

    thread = threading.Thread(target=drip)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    done.set()
    thread.join()
    listener.close()


def test_a_dripping_answer_is_not_waited_for(dripping_endpoint: str) -> None:
    sender = FirebaseSender(endpoint=dripping_endpoint, timeout_seconds=0.5)
    sender._prepare()
    began = time.monotonic()
    [result] = sender.send([message()], now=NOW)
    assert time.monotonic() - began < 0.5 + SLACK
    assert result == SendResult(Outcome.UNKNOWN, error="TimedOut")
    sender.close()
