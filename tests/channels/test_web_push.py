"""pywebpush itself against a push service on this machine; the browser's side is opened here."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import http_ece
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from backend.accounts import push_services
from backend.notifications.push import Outcome, TargetKind
from tests.channels.answering import Answering, answering
from tests.channels.conftest import NOW, message
from worker.channels.web_push import WebPushSender

BROWSERS_KEY = ec.generate_private_key(ec.SECP256R1())
SECRET = b"0123456789abcdef"


def url_safe(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def public_half(key: ec.EllipticCurvePrivateKey) -> str:
    point = serialization.PublicFormat.UncompressedPoint
    return url_safe(key.public_key().public_bytes(serialization.Encoding.X962, point))


OUR_KEY = ec.generate_private_key(ec.SECP256R1())
OURS = url_safe(OUR_KEY.private_numbers().private_value.to_bytes(32, "big"))
OUR_PUBLIC_KEY = public_half(OUR_KEY)


def subscription(endpoint: str) -> str:
    keys = {"p256dh": public_half(BROWSERS_KEY), "auth": url_safe(SECRET)}
    return json.dumps({"endpoint": endpoint, "keys": keys}, separators=(",", ":"))


@pytest.fixture
def service() -> Iterator[Answering]:
    with answering() as server:
        server.status, server.headers = 201, {"Location": f"{server.url}/m/one"}
        yield server


def sender(**values: Any) -> WebPushSender:
    given = {"private_key": OURS, "subject": "mailto:us@example.org", "timeout_seconds": 1.0}
    return WebPushSender(**{**given, "lets_local": True, **values})


def push_to(service: Answering, **values: Any) -> Any:
    return message(subscription(f"{service.url}/p/a"), kind=TargetKind.BROWSER, **values)


def test_the_browser_alone_can_read_it(service: Answering) -> None:
    one = push_to(service, urgent=True)
    (result,) = sender().send([one], now=NOW)
    assert (result.outcome, result.provider_id) == (Outcome.ACCEPTED, "one")
    (asked,) = service.asked
    assert one.body.encode() not in asked.body
    decrypt: Any = http_ece.decrypt
    opened = decrypt(asked.body, private_key=BROWSERS_KEY, auth_secret=SECRET)
    assert json.loads(opened) == {
        "notification_id": str(one.notification_id),
        "title": one.title,
        "body": one.body,
    }
    headers = {name.lower(): value for name, value in asked.headers.items()}
    assert headers["topic"] == one.notification_id.hex
    assert headers["urgency"] == "high"
    assert headers["ttl"] == "7200"
    assert headers["authorization"].startswith("vapid ")


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (404, Outcome.TARGET_GONE),
        (410, Outcome.TARGET_GONE),
        (401, Outcome.OUR_FAULT),
        (403, Outcome.OUR_FAULT),
        (429, Outcome.RATE_LIMITED),
        (400, Outcome.REJECTED),
        (413, Outcome.REJECTED),
        (500, Outcome.UNKNOWN),
        (503, Outcome.UNKNOWN),
    ],
)
def test_each_refusal(service: Answering, status: int, outcome: Outcome) -> None:
    service.status, service.headers = status, {"Retry-After": "12"}
    (result,) = sender().send([push_to(service)], now=NOW)
    assert (result.outcome, result.error) == (outcome, f"WebPush{status}")
    assert result.service == urlsplit(service.url).netloc
    expected = timedelta(seconds=12) if status == 429 else None
    assert result.retry_after == expected
    assert len(service.asked) == 1


def test_a_redirect_leads_nowhere(service: Answering) -> None:
    service.status, service.headers = 307, {"Location": f"{service.url}/elsewhere"}
    (result,) = sender().send([push_to(service)], now=NOW)
    assert result.outcome is Outcome.UNKNOWN
    assert len(service.asked) == 1


def test_one_that_hangs_is_unknown(service: Answering) -> None:
    service.hang = threading.Event()
    (result,) = sender().send([push_to(service)], now=NOW)
    assert result.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("target", ["", "no json", "{}", "[]", '{"endpoint": 1}'])
def test_what_is_no_subscription_is_gone(target: str) -> None:
    (result,) = sender().send([message(target, kind=TargetKind.BROWSER)], now=NOW)
    assert (result.outcome, result.error) == (Outcome.TARGET_GONE, "NoSubscription")


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://10.0.0.1/p",
        "https://example.org/p",
        "https://push.services.mozilla.com.example.org/p",
        "https://fcm.googleapis.com.evil/p",
        "file:///etc/passwd",
    ],
)
def test_we_post_to_push_services_alone(endpoint: str) -> None:
    target = subscription(endpoint)
    (result,) = sender().send([message(target, kind=TargetKind.BROWSER)], now=NOW)
    assert result.outcome is Outcome.TARGET_GONE


def test_this_machine_is_no_push_service_outside_of_tests(service: Answering) -> None:
    (result,) = sender(lets_local=False).send([push_to(service)], now=NOW)
    assert result.outcome is Outcome.TARGET_GONE
    assert service.asked == []


def test_an_expired_message_is_not_sent(service: Answering) -> None:
    (result,) = sender().send([push_to(service, life=timedelta(0))], now=NOW)
    assert result.outcome is Outcome.REJECTED
    assert service.asked == []


def test_browsers_subscribe_with_the_public_half_of_our_key() -> None:
    assert sender().public_key == OUR_PUBLIC_KEY


def test_what_is_no_key_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="no key for web push"):
        sender(private_key="no key")


@pytest.mark.parametrize("values", [{"private_key": ""}, {"subject": "us@example.org"}])
def test_half_of_it_is_refused(values: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="needs"):
        sender(**values)


def test_a_push_service_has_one_name_whatever_its_host() -> None:
    hosts = {
        "https://fcm.googleapis.com/fcm/send/a": "fcm.googleapis.com",
        "https://updates.push.services.mozilla.com/wpush/v2/a": "push.services.mozilla.com",
        "https://wns2-par02p.notify.windows.com/w/?token=a": "notify.windows.com",
        "https://web.push.apple.com/a": "push.apple.com",
        "http://127.0.0.1:8080/p/a": "127.0.0.1:8080",
    }
    assert {one: push_services.service_of(one) for one in hosts} == hosts
