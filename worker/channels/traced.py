"""A sender with a span around each send: which channel, which notifications, what came of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from backend.notifications.push import PushMessage, Sender, SendResult
from backend.tracing import span


class TracedSender:
    """Hands on to another one. Ids alone are told: never a target, never a text."""

    def __init__(self, sender: Sender) -> None:
        self.sender = sender
        self.name = sender.name

    def send(self, messages: Sequence[PushMessage], *, now: datetime) -> list[SendResult]:
        """See `Sender.send`."""
        ids = [str(message.notification_id) for message in messages]
        told = {"handrail.channel": self.name, "handrail.notification_ids": ids}
        with span(f"send {self.name}", told) as current:
            results = self.sender.send(messages, now=now)
            if current is not None:
                counts = Counter(result.outcome.value for result in results)
                current.set_attributes(
                    {f"handrail.outcome.{name}": count for name, count in counts.items()}
                )
        return results
