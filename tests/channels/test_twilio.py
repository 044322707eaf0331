"""Twilio's real client against a stand-in on this machine: what each answer means."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest

from backend.notifications.push import Outcome, TargetKind
from tests.channels.answering import Answering, answering
from tests.channels.conftest import NOW, message
from worker.channels.sms import SmsSender
from worker.channels.twilio_sms import TwilioProvider

NUMBER = "+15550100199"
TAKEN = json.dumps({"sid": "SM123", "status": "queued", "to": NUMBER}).encode()


@pytest.fixture
def twilio() -> Iterator[Answering]:
    with answering() as server:
        server.status, server.body = 201, TAKEN
        yield server


def sender(twilio: Answering, **values: Any) -> SmsSender:
    return SmsSender(
        TwilioProvider(
            **{
                "account": "AC1",
                "token": "a-secret",
                "sender": "+15550100000",
                "endpoint": twilio.url,
                "timeout_seconds": 1.0,
                **values,
            }
        )
    )


def text_to(number: str = NUMBER, **values: Any) -> Any:
    return message(number, kind=TargetKind.SMS, **values)


def refusal(code: int) -> bytes:
    return json.dumps({"code": code, "message": f"no {NUMBER}", "status": 400}).encode()


def test_an_accepted_message_has_twilios_name(twilio: Answering) -> None:
    (result,) = sender(twilio).send([text_to()], now=NOW)
    assert (result.outcome, result.provider_id) == (Outcome.ACCEPTED, "SM123")
    (asked,) = twilio.asked
    assert asked.path == "/2010-04-01/Accounts/AC1/Messages.json"
    sent = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
    assert sent["To"] == NUMBER
    assert sent["From"] == "+15550100000"
    assert sent["Body"] == f"{message().title}: {message().body}"


def test_a_messaging_service_is_named_as_one(twilio: Answering) -> None:
    sender(twilio, sender="MG9").send([text_to()], now=NOW)
    sent = parse_qs(twilio.asked[0].body.decode())
    assert sent["MessagingServiceSid"] == ["MG9"]
    assert "From" not in sent


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        (400, 21211, Outcome.TARGET_GONE),
        (400, 21610, Outcome.TARGET_GONE),
        (400, 21614, Outcome.TARGET_GONE),
        (400, 21606, Outcome.OUR_FAULT),
        (400, 21408, Outcome.OUR_FAULT),
        (401, 20003, Outcome.OUR_FAULT),
        (403, 20005, Outcome.OUR_FAULT),
        (404, 20404, Outcome.OUR_FAULT),
        (429, 20429, Outcome.RATE_LIMITED),
        (400, 21617, Outcome.REJECTED),
        (500, 20500, Outcome.UNKNOWN),
        (503, 20503, Outcome.UNKNOWN),
    ],
)
def test_each_refusal(twilio: Answering, status: int, code: int, outcome: Outcome) -> None:
    twilio.status, twilio.body = status, refusal(code)
    (result,) = sender(twilio).send([text_to()], now=NOW)
    assert (result.outcome, result.error) == (outcome, f"Twilio{code}")
    assert len(twilio.asked) == 1  # the client repeats nothing by itself


def test_a_400_of_something_in_between_settles_nothing(twilio: Answering) -> None:
    twilio.status, twilio.body = 400, b"<html>a proxy</html>"
    (result,) = sender(twilio).send([text_to()], now=NOW)
    assert result.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("body", [b"", b"garbage", b"[]"])
def test_an_unreadable_acceptance_may_have_been_one(twilio: Answering, body: bytes) -> None:
    twilio.body = body
    (result,) = sender(twilio).send([text_to()], now=NOW)
    assert result.outcome is Outcome.UNKNOWN


def test_retry_after_is_told_and_not_slept(twilio: Answering) -> None:
    twilio.status, twilio.body = 429, refusal(20429)
    twilio.headers = {"Retry-After": "37"}
    (result,) = sender(twilio).send([text_to()], now=NOW)
    assert result.retry_after == timedelta(seconds=37)


def test_one_that_hangs_is_unknown_and_holds_nobody(twilio: Answering) -> None:
    twilio.hang = threading.Event()
    (result,) = sender(twilio).send([text_to()], now=NOW)
    assert result.outcome is Outcome.UNKNOWN


def test_a_server_that_is_not_there(twilio: Answering) -> None:
    (result,) = sender(twilio, endpoint="http://127.0.0.1:9").send([text_to()], now=NOW)
    assert result.outcome is Outcome.UNKNOWN


def test_an_expired_message_is_not_sent(twilio: Answering) -> None:
    (result,) = sender(twilio).send([text_to(life=timedelta(0))], now=NOW)
    assert result.outcome is Outcome.REJECTED
    assert twilio.asked == []


def test_results_keep_their_order(twilio: Answering) -> None:
    results = sender(twilio).send([text_to(), text_to(life=timedelta(0)), text_to()], now=NOW)
    assert [one.outcome for one in results] == [
        Outcome.ACCEPTED,
        Outcome.REJECTED,
        Outcome.ACCEPTED,
    ]


def test_nothing_of_it_is_logged(twilio: Answering, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    twilio.status, twilio.body = 400, refusal(21211)
    sender(twilio).send([text_to()], now=NOW)
    written = " ".join(record.getMessage() for record in caplog.records)
    assert NUMBER not in written
    assert NUMBER[1:] not in written
    assert "a-secret" not in written


@pytest.mark.parametrize("endpoint", ["https://api.twilio.com", "http://10.0.0.1", "http://evil"])
def test_a_stand_in_is_on_this_machine(endpoint: str) -> None:
    with pytest.raises(ValueError, match="this machine"):
        TwilioProvider(account="AC1", token="t", sender="+1", endpoint=endpoint)


def test_half_of_it_is_refused() -> None:
    with pytest.raises(ValueError, match="needs"):
        TwilioProvider(account="AC1", token="", sender="+1")
