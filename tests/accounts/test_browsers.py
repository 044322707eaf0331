"""A browser registers its own subscription, under the key that this server pushes with."""

from __future__ import annotations

import base64
import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.checks import run_checks
from django.utils import timezone
from pytest_django.fixtures import Settings

from backend.accounts import push_services
from backend.accounts.models import AuditEvent, Device
from backend.notifications.models import ChannelState
from backend.notifications.selectors import KEY_LIFE
from backend.notifications.services import announce_channels
from backend.start import ENVIRONMENT
from tests.channels.test_web_push import subscription
from tests.people import People
from tests.phones import Phone

ENDPOINT = "https://updates.push.services.mozilla.com/wpush/v2/one"
OTHER = "https://fcm.googleapis.com/fcm/send/two"


def subscribed(endpoint: str = ENDPOINT, **keys: str) -> dict[str, Any]:
    given: dict[str, Any] = json.loads(subscription(endpoint))
    given["keys"] |= keys
    return given


def register(phone: Phone, body: Any = None, installation: UUID | None = None) -> Any:
    said = {"kind": "web_push", "subscription": subscribed()} if body is None else body
    return phone.put(f"/devices/{installation or uuid4()}", said)


def live() -> list[Device]:
    return list(Device.objects.filter(unbound_at__isnull=True))


def test_a_browser_is_bound_by_what_it_subscribed_to(phone: Phone) -> None:
    given = subscribed() | {"expirationTime": None}
    answer = register(phone, {"kind": "web_push", "subscription": given})
    assert answer.status_code == 201
    shown = {name: answer.json()[name] for name in ("kind", "target_kind", "platform")}
    assert shown == {"kind": "web_push", "target_kind": "browser", "platform": "web"}
    (device,) = live()
    assert device.push_target == ENDPOINT
    assert json.loads(device.push_keys) == given["keys"]


def test_nothing_of_it_is_shown_or_written_down(phone: Phone) -> None:
    answer = register(phone)
    secret = subscribed()["keys"]["auth"]
    left = answer.content.decode() + phone.get("/devices").content.decode()
    left += str(list(AuditEvent.objects.values()))
    assert secret not in left
    assert ENDPOINT not in left
    assert secret not in repr(live()[0])


def test_a_subscription_belongs_to_the_last_who_registers_it(phone: Phone, people: People) -> None:
    """Also with other keys: it is the address that leads to the browser."""
    other = people.other_patient.user
    assert other is not None
    register(phone)
    newer = subscribed(auth=base64.urlsafe_b64encode(b"another-secret--").decode())
    body = {"kind": "web_push", "subscription": newer}
    assert register(Phone.of(other), body).status_code == 201
    assert [device.user_id for device in live()] == [other.pk]
    assert phone.get("/trends").status_code == 401


def test_a_browser_that_subscribes_anew_has_one_target(phone: Phone) -> None:
    installation = uuid4()
    register(phone, installation=installation)
    body = {"kind": "web_push", "subscription": subscribed(OTHER)}
    assert register(phone, body, installation).status_code == 200
    assert [device.push_target for device in live()] == [OTHER]


def test_an_app_in_its_place_leaves_no_keys_behind(phone: Phone) -> None:
    installation = uuid4()
    register(phone, installation=installation)
    assert register(phone, {"push_target": "a-token-of-fcm"}, installation).status_code == 200
    (device,) = live()
    assert (device.kind, device.push_keys) == ("fcm", "")


def test_signing_out_unbinds_it(phone: Phone) -> None:
    register(phone)
    assert phone.post("/sign-out").status_code == 204
    assert live() == []


ELSEWHERE = [
    "https://example.org/push",
    "http://fcm.googleapis.com/fcm/send/one",
    "https://fcm.googleapis.com.example.org/x",
    "https://fcm.googleapis.com@example.org/x",
    "https://fcm.googleapis.com:8443/x",
    "https://push.apple.com.evil/x",
    "https://evilpush.apple.com/x",
    "https://[::1/push",
    "http://127.0.0.1:8000/push",
    "file:///etc/passwd",
    "javascript:alert(1)",
]


@pytest.mark.parametrize("endpoint", ELSEWHERE)
def test_we_are_sent_to_push_services_alone(phone: Phone, endpoint: str) -> None:
    answer = register(phone, {"kind": "web_push", "subscription": subscribed(endpoint)})
    assert answer.status_code == 400
    (problem,) = answer.json()["errors"]
    assert (problem["pointer"], problem["code"]) == (
        "/subscription/endpoint",
        "unknown_push_service",
    )
    assert live() == []


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com/fcm/send/a",
        "https://updates.push.services.mozilla.com/wpush/v2/a",
        "https://web.push.apple.com/QA",
        "https://wns2-by3p.notify.windows.com/w/?token=BQ",
    ],
)
def test_those_that_browsers_use_are_known(endpoint: str) -> None:
    assert push_services.is_known(endpoint)


OFF_THE_CURVE = base64.urlsafe_b64encode(b"\x04" + b"\x01" * 64).rstrip(b"=").decode()


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"kind": "web_push"}, "/subscription", "missing"),
        ({"subscription": subscribed()}, "/subscription", "unexpected"),
        (
            {"kind": "web_push", "subscription": subscribed(), "push_target": "a-token-of-fcm"},
            "/push_target",
            "unexpected",
        ),
        ({"kind": "fcm"}, "/push_target", "missing"),
        (
            {"kind": "web_push", "subscription": subscribed(p256dh=OFF_THE_CURVE)},
            "/subscription/keys/p256dh",
            "invalid_value",
        ),
        (
            {"kind": "web_push", "subscription": subscribed(p256dh="AAAA")},
            "/subscription/keys/p256dh",
            "invalid_value",
        ),
        (
            {"kind": "web_push", "subscription": subscribed(auth="AAAA")},
            "/subscription/keys/auth",
            "invalid_value",
        ),
        (
            {"kind": "web_push", "subscription": subscribed(auth="A")},
            "/subscription/keys/auth",
            "invalid_value",
        ),
        (
            {"kind": "web_push", "subscription": subscribed(extra="AAAA")},
            "/subscription/keys",
            "invalid_value",
        ),
    ],
)
def test_half_a_subscription_binds_nothing(
    phone: Phone, body: dict[str, Any], pointer: str, code: str
) -> None:
    answer = register(phone, body)
    assert answer.status_code == 400
    (problem,) = answer.json()["errors"]
    assert (problem["pointer"], problem["code"]) == (pointer, code)
    assert live() == []


def test_production_lets_none_lead_to_this_machine(settings: Settings) -> None:
    settings.IS_PRODUCTION = True
    settings.WEB_PUSH_LOCAL = True
    assert "handrail.E033" in {one.id for one in run_checks(tags=[ENVIRONMENT])}
    settings.WEB_PUSH_LOCAL = False
    assert "handrail.E033" not in {one.id for one in run_checks(tags=[ENVIRONMENT])}


# The key ----------------------------------------------------------------------------------------


def key() -> Any:
    return Phone().get("/web-push-key")


@pytest.mark.django_db
def test_the_key_is_public_and_may_be_cached() -> None:
    announce_channels(channels=["firebase", "web_push"], web_push_key="BIBn3E", now=timezone.now())
    answer = key()
    assert (answer.status_code, answer.json()) == (200, {"public_key": "BIBn3E"})
    assert answer["Cache-Control"] == "public, max-age=3600"
    assert ChannelState.objects.get(channel="firebase").public_key == ""


@pytest.mark.django_db
def test_there_is_none_where_nobody_pushes_to_browsers() -> None:
    now = timezone.now()
    announce_channels(channels=["firebase"], now=now)
    assert (key().status_code, key().json()["code"]) == (404, "no_web_push")
    announce_channels(channels=["web_push"], web_push_key="BIBn3E", now=now - KEY_LIFE)
    assert key().status_code == 404
