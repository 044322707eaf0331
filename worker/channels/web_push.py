"""Push to browsers by their own services (RFC 8030, 8291, 8292): the only module with pywebpush."""

from __future__ import annotations

import base64
import functools
import json
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid
from pywebpush import WebPushException, webpush
from requests import RequestException, Session
from requests.adapters import HTTPAdapter

from backend.accounts import push_services
from backend.notifications.push import Outcome, PushMessage, SendResult
from worker.channels.bounded import BoundedCalls

MOST_AT_ONCE = 32
GRACE_SECONDS = 1.0
LONGEST_LIFE = timedelta(days=28)
LONGEST_WAIT = timedelta(days=1)


class WebPushSender:
    """Sends under our VAPID key, a few side by side; the content is sealed for its browser.

    `subject` is a `mailto:` or `https:` address at which a push service finds us. `lets_local`
    lets subscriptions on this machine through, for tests. `public_key` is what browsers subscribe
    with. Raises ValueError for a missing part and for a key that is none.
    """

    name = "web_push"

    def __init__(
        self,
        *,
        private_key: str,
        subject: str,
        lets_local: bool = False,
        timeout_seconds: float = 4.0,
    ) -> None:
        if not private_key or not subject.startswith(("mailto:", "https:")):
            raise ValueError("web push needs a VAPID key and a mailto: or https: subject")
        self._key, self._subject, self._lets_local = private_key, subject, lets_local
        self.public_key = _public_half(private_key)
        self._timeout = timeout_seconds
        self._calls = BoundedCalls(limit=MOST_AT_ONCE)
        self._kept = threading.local()

    def send(self, messages: Sequence[PushMessage], *, now: datetime) -> list[SendResult]:
        """One result for each message, in order; never raises."""
        return self._calls.run(
            [functools.partial(self._hand_over, message, now) for message in messages],
            seconds=self._timeout + GRACE_SECONDS,
            missing=lambda reason: SendResult(Outcome.UNKNOWN, error=reason),
        )

    def _hand_over(self, message: PushMessage, now: datetime) -> SendResult:
        if message.expires_at <= now:
            return SendResult(Outcome.REJECTED, error="Expired")
        subscription = _subscription(message.target)
        if subscription is None or not push_services.is_known(
            subscription["endpoint"], lets_local=self._lets_local
        ):
            return SendResult(Outcome.TARGET_GONE, error="NoSubscription")
        result = self._post(message, subscription, now)
        return replace(result, service=push_services.service_of(subscription["endpoint"]))

    def _post(
        self, message: PushMessage, subscription: dict[str, Any], now: datetime
    ) -> SendResult:
        try:
            answer: Any = webpush(
                subscription,
                data=_content(message),
                vapid_private_key=self._key,
                vapid_claims={"sub": self._subject},
                ttl=int(min(message.time_to_live(now), LONGEST_LIFE).total_seconds()),
                timeout=self._timeout,
                headers={
                    "Topic": message.notification_id.hex,  # at most 32 characters
                    "Urgency": "high" if message.urgent else "normal",
                },
                requests_session=self._session(),
            )
        except WebPushException as error:
            return _refused(error, now)
        except RequestException as error:
            return SendResult(Outcome.UNKNOWN, error=type(error).__name__)
        except Exception as error:  # a key or a subscription that cannot be used
            return SendResult(Outcome.REJECTED, error=type(error).__name__)
        return SendResult(Outcome.ACCEPTED, provider_id=_place(answer))

    def _session(self) -> Session:
        session: Session | None = getattr(self._kept, "session", None)
        if session is None:
            session = self._kept.session = Session()
            session.max_redirects = 0
            session.trust_env = not self._lets_local
            for prefix in ("https://", "http://"):
                session.mount(prefix, HTTPAdapter(max_retries=0))
        return session


def _public_half(private_key: str) -> str:
    """An uncompressed point in URL-safe base64. Raises ValueError."""
    try:
        vapid: Any = Vapid
        point = vapid.from_string(private_key).public_key.public_bytes(
            Encoding.X962, PublicFormat.UncompressedPoint
        )
    except Exception:
        raise ValueError("VAPID_PRIVATE_KEY is no key for web push") from None
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()


def _subscription(target: str) -> dict[str, Any] | None:
    """As the browser's `PushSubscription.toJSON()` gives it; None for anything else."""
    try:
        said = json.loads(target)
        keys = said["keys"]
        subscription = {
            "endpoint": str(said["endpoint"]),
            "keys": {"p256dh": str(keys["p256dh"]), "auth": str(keys["auth"])},
        }
    except (ValueError, KeyError, TypeError):
        return None
    return subscription


def _content(message: PushMessage) -> str:
    """A random id and a text that tells nobody anything."""
    shown = {"title": message.title, "body": message.body}
    return json.dumps({"notification_id": str(message.notification_id), **shown})


def _place(answer: Any) -> str:
    """The message's own address at the service (RFC 8030, 5); the last part names it."""
    return str(answer.headers.get("Location", "")).rpartition("/")[2][:200] or "accepted"


def _refused(error: WebPushException, now: datetime) -> SendResult:
    status = error.status_code or 0
    return SendResult(
        _outcome(status),
        retry_after=_wait(error.retry_after, now) if status == 429 else None,
        error=f"WebPush{status}",
    )


def _outcome(status: int) -> Outcome:
    """RFC 8030, 5 to 7.3, and RFC 8292, 4.2 for our key."""
    if status in (404, 410):
        return Outcome.TARGET_GONE
    if status in (401, 403):
        return Outcome.OUR_FAULT
    if status == 429:
        return Outcome.RATE_LIMITED
    return Outcome.REJECTED if status in (400, 413) else Outcome.UNKNOWN


def _wait(value: str | None, now: datetime) -> timedelta | None:
    """Seconds or an HTTP date (RFC 9110, 10.2.3), between nothing and a day."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:9])), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    wait = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
    return min(max(wait, timedelta(0)), LONGEST_WAIT)
