"""SMS to a clinician's own number, through whichever provider is configured."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from backend.notifications.push import Outcome, PushMessage, SendResult
from worker.channels.bounded import BoundedCalls

MOST_AT_ONCE = 16
GRACE_SECONDS = 1.0


class SmsProvider(Protocol):
    """One company that takes text messages."""

    timeout_seconds: float

    def send_text(self, *, number: str, text: str) -> SendResult:
        """Hands over one message to a number in E.164. Never raises; takes no longer than its
        time-out, waits for no Retry-After itself, and repeats nothing."""
        ...


class SmsSender:
    """A few messages side by side. What has not been handed over in time is UNKNOWN.

    A provider takes the same text twice for two messages: one whose outcome is unknown may come
    twice, and is repeated all the same.
    """

    name = "sms"

    def __init__(self, provider: SmsProvider) -> None:
        self._provider = provider
        self._calls = BoundedCalls(limit=MOST_AT_ONCE)

    def send(self, messages: Sequence[PushMessage], *, now: datetime) -> list[SendResult]:
        """One result for each message, in order; never raises."""
        return self._calls.run(
            [functools.partial(self._hand_over, message, now) for message in messages],
            seconds=self._provider.timeout_seconds + GRACE_SECONDS,
            missing=lambda reason: SendResult(Outcome.UNKNOWN, error=reason),
        )

    def _hand_over(self, message: PushMessage, now: datetime) -> SendResult:
        if message.expires_at <= now:
            return SendResult(Outcome.REJECTED, error="Expired")
        text = f"{message.title}: {message.body}"
        return self._provider.send_text(number=message.target, text=text)
