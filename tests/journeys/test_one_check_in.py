"""One check-in goes all the way through the system that `make run` starts, whatever breaks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.journeys.running import Running, check_in, running, within

PROMISED_S = 5.0
AFTER_A_CRASH_S = 45.0
# All that may travel. A lock screen, a provider and anyone on the way see these and no more.
PAYLOAD_KEYS = {
    "android.collapse_key", "android.notification.tag", "android.priority", "android.ttl",
    "apns.headers.apns-collapse-id", "apns.headers.apns-expiration",
    "apns.headers.apns-priority", "apns.payload.aps.sound", "data.notification_id",
    "notification.body", "notification.title", "token", "webpush.headers.TTL",
    "webpush.headers.Topic", "webpush.headers.Urgency",
}  # fmt: skip


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("run") / "state") as started:
        yield started


@pytest.fixture(scope="module")
def patient_phone(system: Running) -> str:
    return system.register_phone("patient")


@pytest.fixture(scope="module")
def therapist_phone(system: Running) -> str:
    return system.register_phone("therapist")


@pytest.fixture(autouse=True)
def one_at_a_time(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each test begins with every alert resolved, so that its own check-in opens a new one."""
    yield
    if "system" in request.fixturenames:
        resolve_all(request.getfixturevalue("system"))


def resolve_all(system: Running) -> None:
    system.behave()
    for line in system.call("GET", "/patients", who="therapist").json()["results"]:
        path = f"/patients/{line['patient_id']}/alerts"
        for alert in system.call("GET", path, who="therapist").json()["results"]:
            if alert["status"] != "resolved":
                body = {"id": check_in()["id"], "outcome": "reached"}
                system.call("POST", f"{path}/{alert['id']}/resolve", who="therapist", body=body)


def flat(value: Any, prefix: str = "") -> Iterator[str]:
    if not isinstance(value, dict):
        yield prefix
        return
    for key, inner in value.items():
        yield from flat(inner, f"{prefix}.{key}" if prefix else key)


def ids(messages: list[dict[str, Any]]) -> set[str]:
    return {message["message"]["data"]["notification_id"] for message in messages}


def new_messages(system: Running, phone: str, before: set[str]) -> list[dict[str, Any]]:
    return [message for message in system.messages(phone) if ids([message]).isdisjoint(before)]


def test_craving_nine_reaches_both_phones_in_time_and_says_nothing_about_health(
    system: Running, patient_phone: str, therapist_phone: str
):
    both = (patient_phone, therapist_phone)
    before = {phone: ids(system.messages(phone)) for phone in both}
    answer = system.call("POST", "/check-ins", who="patient", body=check_in(craving=9))
    assert answer.status_code == 201
    assert "988" in {line["call"] for line in answer.json()["support"]["crisis_resources"]}
    assert answer.json()["monitoring"]["told"] is True
    assert within(
        PROMISED_S, lambda: all(new_messages(system, phone, before[phone]) for phone in both)
    )
    for phone in both:
        (message,) = new_messages(system, phone, before[phone])
        assert set(flat(message["message"])) <= PAYLOAD_KEYS
        assert message["message"]["notification"]["title"] == "Handrail"
        assert message["message"]["notification"]["body"] == "You have a new message."


def test_the_same_post_again_sends_nothing_more(
    system: Running, patient_phone: str, therapist_phone: str
):
    body = check_in(craving=9)
    before = ids(system.messages(patient_phone))
    for _ in range(3):
        system.call("POST", "/check-ins", who="patient", body=body)
    assert within(PROMISED_S, lambda: ids(system.messages(patient_phone)) - before)
    time.sleep(2)
    # What an earlier test killed in the middle may still be repeated; this one never is.
    assert len(new_messages(system, patient_phone, before)) == 1


def test_a_message_is_read_after_unlock_by_its_owner_alone(system: Running, patient_phone: str):
    before = ids(system.messages(patient_phone))
    system.call("POST", "/check-ins", who="patient", body=check_in(craving=9))
    assert within(PROMISED_S, lambda: ids(system.messages(patient_phone)) - before)
    (new,) = ids(system.messages(patient_phone)) - before
    assert system.call("GET", f"/me/notifications/{new}", who="patient").json()["body"]
    assert system.call("GET", f"/me/notifications/{new}", who="therapist").status_code == 404


@pytest.mark.parametrize("victims", [("worker", "relay"), ("valkey",), ("web",)])
def test_killed_in_the_middle_the_push_still_arrives_and_is_seen_once(
    victims: tuple[str, ...], system: Running, patient_phone: str
):
    before = ids(system.messages(patient_phone))
    system.misbehave(mode="ok", latency_ms=800, times=6)
    answer = system.call("POST", "/check-ins", who="patient", body=check_in(craving=9))
    assert answer.status_code == 201
    time.sleep(0.3)
    system.kill(*victims)
    assert within(AFTER_A_CRASH_S, lambda: ids(system.messages(patient_phone)) - before)
    # Repeats are allowed; a phone replaces them by their one collapse id.
    assert len(ids(system.messages(patient_phone)) - before) == 1
    assert within(AFTER_A_CRASH_S, lambda: is_up(system))


def is_up(system: Running) -> bool:
    try:
        return system.call("GET", "/help").status_code == 200
    except httpx.TransportError:
        return False


def test_after_signing_out_nothing_reaches_the_phone(system: Running):
    system.tokens.pop("patient", None)
    phone = system.register_phone("patient")
    assert system.call("POST", "/sign-out", who="patient").status_code == 204
    system.tokens.pop("patient")
    system.call("POST", "/check-ins", who="patient", body=check_in(craving=9))
    time.sleep(3)
    assert system.messages(phone) == []


def test_with_no_broker_at_all_the_relay_alone_suffices(tmp_path: Path):
    with running(tmp_path / "state", REDIS_URL="none", HANDRAIL_PORT="8700") as alone:
        assert {"worker", "beat", "valkey"}.isdisjoint(alone.facts["pids"])
        phone = alone.register_phone("patient")
        alone.call("POST", "/check-ins", who="patient", body=check_in(not_safe=True))
        assert within(PROMISED_S, lambda: alone.messages(phone))
