"""The one endpoint FCM has."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from local.fcm import LocalFcm
from tests.local_fcm.conftest import SEND, envelope


def details_of(answer: httpx.Response) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer.json()["error"].get("details", [])
    return found


def test_a_message_is_kept_as_it_came(fcm: LocalFcm, http: httpx.Client) -> None:
    body = envelope(data={"notification_id": "1"})
    answer = http.post(SEND, json=body)
    assert answer.status_code == 200
    [kept] = http.get("/messages").json()
    assert kept["message"] == body["message"]
    assert (kept["target"], kept["target_kind"], kept["repeat"]) == ("a-phone", "token", False)
    assert kept["message_id"] == answer.json()["name"]
    assert kept["message_id"].startswith("projects/handrail-local/messages/")
    assert kept["received_at"].endswith("Z")
    assert fcm.messages == [kept]


def test_a_repeat_needs_the_same_phone_and_the_same_collapse_id(http: httpx.Client) -> None:
    for token, collapse in [("a", "1"), ("a", "2"), ("b", "1"), ("a", "1"), ("c", ""), ("c", "")]:
        http.post(SEND, json=envelope(token, collapse=collapse))
    repeats = [item["repeat"] for item in http.get("/messages").json()]
    assert repeats == [False, False, False, True, False, False]


@pytest.mark.parametrize(
    "part",
    [
        {"apns": {"headers": {"apns-collapse-id": "x"}}},
        {"webpush": {"headers": {"Topic": "x"}}},
    ],
)
def test_any_of_the_three_collapse_ids_counts(http: httpx.Client, part: dict[str, Any]) -> None:
    for _ in range(2):
        assert http.post(SEND, json=envelope(**part)).status_code == 200
    assert [item["repeat"] for item in http.get("/messages").json()] == [False, True]


@pytest.mark.parametrize("header", [None, "", "Basic abc"])
def test_without_an_access_token_nothing_is_kept(fcm: LocalFcm, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = httpx.post(fcm.url + SEND, json=envelope(), headers=headers, trust_env=False)
    assert answer.status_code == 401
    assert answer.json()["error"]["status"] == "UNAUTHENTICATED"
    assert fcm.messages == []


def test_another_project_is_refused(fcm: LocalFcm, http: httpx.Client) -> None:
    answer = http.post("/v1/projects/other/messages:send", json=envelope())
    assert answer.status_code == 403
    assert details_of(answer) == [], "a sender must not take this for a phone that is gone"
    assert fcm.messages == []


def test_validate_only_is_answered_and_not_delivered(fcm: LocalFcm, http: httpx.Client) -> None:
    answer = http.post(SEND, json=envelope() | {"validate_only": True})
    assert answer.status_code == 200
    assert fcm.messages == []


WRONG: list[tuple[Any, str]] = [
    (None, "message"),
    ([], "message"),
    ({}, "message"),
    ({"message": "hello"}, "message"),
    ({"message": {"notification": {}}}, "message"),
    (envelope(fid="b"), "message"),
    (envelope(topic="b"), "message"),
    (envelope(""), "message.token"),
    (envelope(data={"n": 1}), "message.data.n"),
    (envelope(data={"n": None}), "message.data.n"),
    (envelope(data=["n"]), "message.data"),
    (envelope(data={"google.x": "1"}), "message.data.google.x"),
    (envelope(data={"from": "1"}), "message.data.from"),
    (envelope(datum={}), "message.datum"),
    (envelope(notification={"title": 1}), "message.notification.title"),
    (envelope(notification={"subtitle": "x"}), "message.notification.subtitle"),
    (envelope(android={"priority": "urgent"}), "message.android.priority"),
    (envelope(android={"ttl": "60"}), "message.android.ttl"),
    (envelope(android={"ttl": "-1s"}), "message.android.ttl"),
    (envelope(android={"ttl": "2419201s"}), "message.android.ttl"),
    (envelope(android={"sound": "x"}), "message.android.sound"),
    (envelope(apns={"headers": {"apns-priority": 10}}), "message.apns.headers.apns-priority"),
    (
        envelope(apns={"headers": {"apns-collapse-id": "x" * 65}}),
        "message.apns.headers.apns-collapse-id",
    ),
    (envelope(webpush={"headers": {"Topic": "x" * 33}}), "message.webpush.headers.Topic"),
    (envelope(webpush=[]), "message.webpush"),
    (envelope(data={"n": "é" * 2048}), "message"),
    (envelope() | {"priority": "high"}, "priority"),
]


@pytest.mark.parametrize(("body", "field"), WRONG)
def test_what_fcm_refuses(fcm: LocalFcm, http: httpx.Client, body: Any, field: str) -> None:
    answer = http.post(SEND, json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"
    fcm_error, bad_request = details_of(answer)
    assert fcm_error == {
        "@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError",
        "errorCode": "INVALID_ARGUMENT",
    }
    assert [violation["field"] for violation in bad_request["fieldViolations"]] == [field]
    assert fcm.messages == []


RIGHT = [
    envelope(android={"ttl": "0s", "priority": "HIGH"}, apns=None),
    envelope(android={"ttl": "2419200s"}, apns={"headers": None}, webpush={"headers": None}),
    envelope(android={"ttl": "1.500000000s"}, fid=None),
    envelope(data={"n": "é" * 1900, "\ud800": ""}),
]


@pytest.mark.parametrize("body", RIGHT)
def test_what_fcm_takes(http: httpx.Client, body: Any) -> None:
    import json

    answer = http.post(SEND, content=json.dumps(body))
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 60_000, b'{"a":' * 10_000])
def test_what_is_no_json_is_a_400(http: httpx.Client, content: bytes) -> None:
    assert http.post(SEND, content=content).status_code == 400


def test_too_large_a_body_is_not_read(http: httpx.Client) -> None:
    assert http.post(SEND, content=b"x" * 65_537).status_code == 413


def test_a_wrong_address_looks_like_a_web_server(http: httpx.Client) -> None:
    for method, path in [("POST", "/v1/messages:send"), ("GET", SEND), ("POST", "/")]:
        answer = http.request(method, path, json=envelope())
        assert answer.status_code == 404
        assert "json" not in answer.headers["Content-Type"]
