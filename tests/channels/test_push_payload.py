"""What leaves the house with a push: these keys, these words, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from backend.notifications.push import Outcome, PushMessage, TargetKind
from local.fcm import LocalFcm
from tests.channels.conftest import NOW, message
from worker.channels.push import FirebaseSender


def paths(value: Any, prefix: str = "") -> set[str]:
    if not isinstance(value, dict):
        return {prefix}
    return {path for name, item in value.items() for path in paths(item, f"{prefix}/{name}")}


ALLOWED = {
    "/notification/title",
    "/notification/body",
    "/data/notification_id",
    "/android/collapse_key",
    "/android/priority",
    "/android/ttl",
    "/android/notification/tag",
    "/apns/headers/apns-collapse-id",
    "/apns/headers/apns-expiration",
    "/apns/headers/apns-priority",
    "/webpush/headers/TTL",
    "/webpush/headers/Topic",
    "/webpush/headers/Urgency",
}


@pytest.fixture
def captured(fcm: LocalFcm, sender: FirebaseSender) -> Any:
    def send(one: PushMessage) -> dict[str, Any]:
        sender.send([one], now=NOW)
        [item] = fcm.messages
        message: dict[str, Any] = item["message"]
        return message

    return send


@pytest.mark.parametrize("kind", [TargetKind.TOKEN, TargetKind.FID])
@pytest.mark.parametrize("urgent", [True, False])
def test_exactly_these_keys_travel(captured: Any, kind: TargetKind, urgent: bool) -> None:
    sound = {"/apns/payload/aps/sound"} if urgent else set()
    assert paths(captured(message(kind=kind, urgent=urgent))) == ALLOWED | {f"/{kind}"} | sound


def test_a_target_travels_as_its_own_kind(captured: Any) -> None:
    sent = captured(message("an-installation", kind=TargetKind.FID))
    assert sent["fid"] == "an-installation"
    assert "token" not in sent


def test_every_value_is_one_we_meant(captured: Any) -> None:
    one = message("a-phone", urgent=True, life=timedelta(minutes=30))
    identity = str(one.notification_id)
    assert captured(one) == {
        "token": "a-phone",
        "notification": {"title": one.title, "body": one.body},
        "data": {"notification_id": identity},
        "android": {
            "collapse_key": identity,
            "priority": "high",
            "ttl": "1800s",
            "notification": {"tag": identity},
        },
        "apns": {
            "headers": {
                "apns-collapse-id": identity,
                "apns-expiration": str(int(one.expires_at.timestamp())),
                "apns-priority": "10",
            },
            "payload": {"aps": {"sound": "default"}},
        },
        "webpush": {
            "headers": {"TTL": "1800", "Topic": one.notification_id.hex, "Urgency": "high"}
        },
    }


def test_what_is_not_urgent_does_not_wake_the_phone(captured: Any) -> None:
    sent = captured(message(urgent=False))
    assert sent["android"]["priority"] == "normal"
    assert sent["apns"]["headers"]["apns-priority"] == "5"
    assert sent["webpush"]["headers"]["Urgency"] == "normal"


def test_no_more_than_four_weeks_and_no_fraction_of_a_second(captured: Any) -> None:
    sent = captured(message(life=timedelta(days=90, milliseconds=1)))
    assert sent["android"]["ttl"] == sent["webpush"]["headers"]["TTL"] + "s" == "2419200s"
    until = NOW + timedelta(days=28)
    assert sent["apns"]["headers"]["apns-expiration"] == str(int(until.timestamp()))


@pytest.mark.parametrize("kind", [TargetKind.BROWSER, TargetKind.EMAIL, TargetKind.SMS])
def test_an_address_of_another_channel_never_reaches_firebase(kind: TargetKind) -> None:
    with LocalFcm() as fcm:
        sender = FirebaseSender(endpoint=fcm.url)
        (result,) = sender.send([message(kind=kind)], now=NOW)
        sender.close()
        assert (result.outcome, result.error) == (Outcome.REJECTED, "NoTarget")
        assert fcm.messages == []
