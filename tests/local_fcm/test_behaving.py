"""The developer's side: rules for the answers, the inbox, starting and stopping."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from threading import Thread
from typing import Any

import httpx
import pytest

from local.fcm import Behaviour, LocalFcm, Mode
from local.fcm.inbox import Inbox
from tests.local_fcm.conftest import SEND, envelope


def test_a_rule_counts_down_and_ends(fcm: LocalFcm, http: httpx.Client) -> None:
    put = http.put("/behaviour", json={"mode": "internal", "times": 2})
    assert put.json()["times"] == 2
    statuses = [http.post(SEND, json=envelope()).status_code for _ in range(3)]
    assert statuses == [500, 500, 200]
    assert http.get("/behaviour").json() == []
    assert len(fcm.messages) == 1


def test_a_rule_for_one_phone_leaves_the_others_alone(http: httpx.Client) -> None:
    http.put("/behaviour", json={"mode": "unregistered", "target": "gone"})
    assert http.post(SEND, json=envelope("gone")).status_code == 404
    assert http.post(SEND, json=envelope("here")).status_code == 200


def test_one_phones_rule_goes_before_everyones(fcm: LocalFcm, http: httpx.Client) -> None:
    fcm.behaviour.set("quota")
    fcm.behaviour.set("ok", target="here", times=1)
    statuses = [http.post(SEND, json=envelope("here")).status_code for _ in range(2)]
    assert statuses == [200, 429]
    assert fcm.behaviour.listed() == [Behaviour(Mode.QUOTA)]


def test_rules_can_be_taken_back(http: httpx.Client) -> None:
    http.put("/behaviour", json={"mode": "unavailable"})
    assert http.delete("/behaviour").status_code == 204
    assert http.post(SEND, json=envelope()).status_code == 200


def test_a_malformed_message_uses_up_no_rule(http: httpx.Client) -> None:
    http.put("/behaviour", json={"mode": "internal", "times": 1})
    assert http.post(SEND, json={}).status_code == 400
    assert http.post(SEND, json=envelope()).status_code == 500


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"mode": "fine"},
        {"mode": 1},
        {"mode": "ok", "times": 0},
        {"mode": "ok", "times": True},
        {"mode": "ok", "times": "2"},
        {"mode": "ok", "latency_ms": -1},
        {"mode": "ok", "retry_after": -1},
        {"mode": "ok", "until": 3},
    ],
)
def test_a_wrong_rule_is_refused_and_changes_nothing(http: httpx.Client, body: Any) -> None:
    answer = http.put("/behaviour", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert http.get("/behaviour").json() == []


def test_retry_after_and_latency(http: httpx.Client) -> None:
    http.put("/behaviour", json={"mode": "quota", "retry_after": 30, "latency_ms": 200})
    began = time.monotonic()
    answer = http.post(SEND, json=envelope())
    assert 0.2 <= time.monotonic() - began < 2
    assert answer.headers["Retry-After"] == "30"


def test_unavailable_but_delivered_is_seen_by_the_phone(fcm: LocalFcm, http: httpx.Client) -> None:
    fcm.behaviour.set(Mode.UNAVAILABLE_BUT_DELIVERED)
    assert http.post(SEND, json=envelope()).status_code == 503
    assert len(fcm.messages) == 1


def test_a_reset_cuts_the_connection(fcm: LocalFcm, http: httpx.Client) -> None:
    fcm.behaviour.set(Mode.RESET)
    with pytest.raises(httpx.ReadError, match="reset"):
        http.post(SEND, json=envelope())
    assert fcm.messages == []


def test_a_hang_answers_nothing_and_a_stop_ends_it() -> None:
    with LocalFcm() as fcm:
        fcm.behaviour.set(Mode.HANG)
        raised: list[Exception] = []

        def wait_for_ever() -> None:
            try:
                httpx.post(
                    fcm.url + SEND,
                    json=envelope(),
                    headers={"Authorization": "Bearer x"},
                    timeout=30,
                    trust_env=False,
                )
            except httpx.HTTPError as error:
                raised.append(error)

        thread = Thread(target=wait_for_ever)
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
        began = time.monotonic()
    thread.join(5)
    assert time.monotonic() - began < 2
    assert len(raised) == 1
    assert fcm.messages == []


def test_clearing_forgets_repeats_too(http: httpx.Client) -> None:
    http.post(SEND, json=envelope(collapse="1"))
    assert http.delete("/messages").status_code == 204
    assert http.get("/messages").json() == []
    http.post(SEND, json=envelope(collapse="1"))
    assert [item["repeat"] for item in http.get("/messages").json()] == [False]


def test_the_inbox_is_bounded_and_forgets_the_oldest() -> None:
    inbox = Inbox(limit=3)
    for number in range(5):
        inbox.add(envelope(collapse=str(number))["message"], str(number))
    assert [kept.message_id for kept in inbox.listed()] == ["2", "3", "4"]
    assert [kept.message_id for kept in inbox.listed(last=1)] == ["4"]
    assert inbox.listed(last=0) == []
    assert not inbox.add(envelope(collapse="0")["message"], "5").repeat, "it was forgotten"
    assert inbox.add(envelope(collapse="4")["message"], "6").repeat


def test_messages_that_did_not_change_are_not_sent_again(http: httpx.Client) -> None:
    http.post(SEND, json=envelope())
    tag = http.get("/messages").headers["ETag"]
    unchanged = http.get("/messages", headers={"If-None-Match": tag})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    http.post(SEND, json=envelope())
    assert http.get("/messages", headers={"If-None-Match": tag}).status_code == 200
    assert len(http.get("/messages?last=1").json()) == 1
    assert len(http.get("/messages?last=x").json()) == 2


def test_after_a_stop_nobody_answers_even_on_an_open_connection() -> None:
    with LocalFcm() as fcm, httpx.Client(base_url=fcm.url, trust_env=False) as client:
        assert client.get("/messages").status_code == 200
        fcm.stop()
        with pytest.raises(httpx.HTTPError):
            client.get("/messages")
        with pytest.raises(RuntimeError, match="not started"):
            _ = fcm.url


def test_it_starts_again_and_keeps_its_messages(fcm: LocalFcm, http: httpx.Client) -> None:
    http.post(SEND, json=envelope())
    fcm.stop()
    fcm.start()
    assert len(httpx.get(f"{fcm.url}/messages", trust_env=False).json()) == 1


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def test_as_a_program_it_listens_here_alone_and_ends_when_told() -> None:
    port = free_port()
    command = [sys.executable, "-m", "local.fcm", "--port", str(port), "--project", "mine"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        assert f"http://127.0.0.1:{port}/" in program.stdout.readline()
        answer = httpx.post(
            f"http://127.0.0.1:{port}/v1/projects/mine/messages:send",
            json=envelope(),
            headers={"Authorization": "Bearer x"},
            trust_env=False,
        )
        assert answer.status_code == 200
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", port), timeout=1)
        program.terminate()
        assert program.wait(5) == 0
