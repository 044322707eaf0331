"""Every answer FCM gives, through the real SDK: what it means, and what it must not mean."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from backend.notifications.push import Outcome, SendResult, TargetKind
from local.fcm import LocalFcm, Mode
from tests.channels.conftest import NOW, message
from worker.channels.push import FirebaseSender

EXPECTED = {
    Mode.OK: (Outcome.ACCEPTED, ""),
    Mode.UNREGISTERED: (Outcome.TARGET_GONE, "UnregisteredError"),
    Mode.SENDER_MISMATCH: (Outcome.TARGET_GONE, "SenderIdMismatchError"),
    Mode.INVALID_TARGET: (Outcome.TARGET_GONE, "InvalidArgumentError"),
    Mode.UNAUTHENTICATED: (Outcome.OUR_FAULT, "UnauthenticatedError"),
    Mode.PERMISSION_DENIED: (Outcome.OUR_FAULT, "PermissionDeniedError"),
    Mode.THIRD_PARTY_AUTH: (Outcome.OUR_FAULT, "ThirdPartyAuthError"),
    Mode.NOT_FOUND: (Outcome.OUR_FAULT, "NotFoundError"),
    Mode.QUOTA: (Outcome.RATE_LIMITED, "QuotaExceededError"),
    Mode.UNAVAILABLE: (Outcome.UNKNOWN, "UnavailableError"),
    Mode.UNAVAILABLE_BUT_DELIVERED: (Outcome.UNKNOWN, "UnavailableError"),
    Mode.INTERNAL: (Outcome.UNKNOWN, "InternalError"),
    Mode.INVALID_ARGUMENT: (Outcome.REJECTED, "InvalidArgumentError"),
    Mode.GARBAGE: (Outcome.UNKNOWN, "UnknownError"),
    Mode.RESET: (Outcome.UNKNOWN, "UnavailableError"),
    Mode.HANG: (Outcome.UNKNOWN, "DeadlineExceededError"),
}


def test_every_mode_is_expected_here() -> None:
    assert set(EXPECTED) == set(Mode)


@pytest.mark.parametrize("kind", [TargetKind.TOKEN, TargetKind.FID])
@pytest.mark.parametrize("mode", [mode for mode in Mode if mode is not Mode.HANG])
def test_outcome(fcm: LocalFcm, sender: FirebaseSender, mode: Mode, kind: TargetKind) -> None:
    fcm.behaviour.set(mode)
    [result] = sender.send([message(kind=kind)], now=NOW)
    assert (result.outcome, result.error) == EXPECTED[mode]
    assert bool(result.provider_id) == (mode is Mode.OK)
    assert len(fcm.messages) == (1 if mode.delivers else 0)


def test_outcome_of_a_hang(fcm: LocalFcm, hasty_sender: FirebaseSender) -> None:
    fcm.behaviour.set(Mode.HANG)
    [result] = hasty_sender.send([message()], now=NOW)
    assert (result.outcome, result.error) == EXPECTED[Mode.HANG]


def test_a_port_nobody_listens_on_is_unknown() -> None:
    with LocalFcm() as gone:
        sender = FirebaseSender(endpoint=gone.url)
    [result] = sender.send([message()], now=NOW)
    sender.close()
    assert (result.outcome, result.error) == (Outcome.UNKNOWN, "UnavailableError")


def test_a_wrong_project_is_our_fault_and_retires_no_device(fcm: LocalFcm) -> None:
    sender = FirebaseSender(endpoint=fcm.url, project_id="somebody-else")
    [result] = sender.send([message()], now=NOW)
    sender.close()
    assert result.outcome is Outcome.OUR_FAULT
    assert fcm.messages == []


def test_results_keep_order_and_length_over_chunks(fcm: LocalFcm, sender: FirebaseSender) -> None:
    by_target = {"gone": Mode.UNREGISTERED, "slow": Mode.QUOTA, "odd": Mode.GARBAGE}
    for target, mode in by_target.items():
        fcm.behaviour.set(mode, target=target)
    targets = ["fine", "gone", "fine", "slow", "odd"] * 43
    batch = [message(target) for target in targets]
    results = sender.send(batch, now=NOW)
    assert [result.outcome for result in results] == [
        EXPECTED[by_target.get(target, Mode.OK)][0] for target in targets
    ]
    ids = {item["message_id"]: item["message"]["data"] for item in fcm.messages}
    for one, result in zip(batch, results, strict=True):
        if result.outcome is Outcome.ACCEPTED:
            assert ids[result.provider_id] == {"notification_id": str(one.notification_id)}
    assert len(ids) == targets.count("fine")


def test_no_messages_no_results_and_no_loading() -> None:
    assert FirebaseSender(endpoint="http://127.0.0.1:9").send([], now=NOW) == []


def test_an_expired_message_is_not_sent_and_holds_no_other(
    fcm: LocalFcm, sender: FirebaseSender
) -> None:
    results = sender.send(
        [message("late", life=timedelta(0)), message("fine", life=timedelta(seconds=5))], now=NOW
    )
    assert results[0] == SendResult(Outcome.REJECTED, error="Expired")
    assert results[1].outcome is Outcome.ACCEPTED
    assert [item["target"] for item in fcm.messages] == ["fine"]


def test_a_message_the_sdk_refuses_is_rejected_alone(fcm: LocalFcm, sender: FirebaseSender) -> None:
    results = sender.send([message(""), message("fine")], now=NOW)
    assert [result.outcome for result in results] == [Outcome.REJECTED, Outcome.ACCEPTED]
    assert len(fcm.messages) == 1


def test_a_repeat_is_one_message_to_the_phone(fcm: LocalFcm, sender: FirebaseSender) -> None:
    fcm.behaviour.set(Mode.UNAVAILABLE_BUT_DELIVERED, times=1)
    same = message()
    outcomes = [sender.send([same], now=NOW)[0].outcome for _ in range(2)]
    assert outcomes == [Outcome.UNKNOWN, Outcome.ACCEPTED]
    assert [item["repeat"] for item in fcm.messages] == [False, True]


def test_one_message_is_one_call(fcm: LocalFcm, sender: FirebaseSender) -> None:
    fcm.behaviour.set(Mode.UNAVAILABLE_BUT_DELIVERED)
    sender.send([message()], now=NOW)
    assert len(fcm.messages) == 1, "the SDK repeated the call by itself"


def test_neither_logs_nor_results_name_a_target(
    fcm: LocalFcm, sender: FirebaseSender, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        for mode in Mode:
            if mode is not Mode.HANG:
                fcm.behaviour.set(mode)
                results = sender.send([message("canary-target")], now=NOW)
                assert "canary-target" not in repr(results)
    assert caplog.records, "nothing was captured, so nothing was proved"
    assert "canary-target" not in caplog.text


PROXY_PAGES = [
    (400, Outcome.UNKNOWN),  # not in FCM's form: settles nothing about the message
    (302, Outcome.UNKNOWN),
    (404, Outcome.OUR_FAULT),
    (403, Outcome.OUR_FAULT),
    (429, Outcome.RATE_LIMITED),
    (502, Outcome.UNKNOWN),
    (504, Outcome.UNKNOWN),
    (200, Outcome.UNKNOWN),
]


@pytest.mark.parametrize(("status", "outcome"), PROXY_PAGES)
def test_a_page_from_something_in_between(status: int, outcome: Outcome) -> None:
    calls = []

    class Proxy(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            calls.append(self.path)
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "6")
            self.end_headers()
            self.wfile.write(b"<html>")

        do_GET = do_POST  # where a followed redirect would arrive

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Proxy) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        sender = FirebaseSender(endpoint=f"http://127.0.0.1:{server.server_port}")
        [result] = sender.send([message()], now=NOW)
        sender.close()
        server.shutdown()
        thread.join()
    assert result.outcome is outcome
    assert len(calls) == 1
