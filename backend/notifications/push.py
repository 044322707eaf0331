"""The port behind which every channel stands: what goes to a provider, and what may come of it.

Pure: no framework, no provider's package. A `Sender` (the real one lives with the worker) takes
messages and answers for each with one `Outcome`; what follows from an outcome is decided where
the notifications are kept, never in the sender.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID

VERSION = "1"
"""Changes when an outcome changes its meaning, so that stored attempts stay readable."""


class Channel(StrEnum):
    """The ways a message can leave. A clinician's own addresses stand behind their phones."""

    PUSH = "push"
    WEB_PUSH = "web_push"
    EMAIL = "email"
    SMS = "sms"


class TargetKind(StrEnum):
    """What an address is: a registration token or installation id of Firebase, a subscription of
    a browser (its JSON), an e-mail address, a number in E.164."""

    TOKEN = "token"  # noqa: S105  # a kind, not a secret
    FID = "fid"
    BROWSER = "browser"
    EMAIL = "email"
    SMS = "sms"


class Outcome(StrEnum):
    """What became of one message, by what has to follow from it.

    ACCEPTED: the provider took it. Not an acknowledgment by a person.
    TARGET_GONE: this device will never receive again; retire this device only.
    OUR_FAULT: credentials, project or configuration; stop the channel (of many services the one
        that said so), tell the operator, count nothing against the device.
    RATE_LIMITED: not sent; try again no sooner than `SendResult.retry_after`.
    UNKNOWN: it may or may not have been delivered; repeat with the same collapse id until expiry.
    REJECTED: this one message can never be sent (malformed, or already expired); do not repeat it.
    """

    ACCEPTED = "accepted"
    TARGET_GONE = "target_gone"
    OUR_FAULT = "our_fault"
    RATE_LIMITED = "rate_limited"
    UNKNOWN = "unknown"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class PushMessage:
    """One message for one address. `title` and `body` are read on a lock screen by anyone.

    `expires_at` is aware; afterwards nobody should see the message. `urgent` asks the phone to
    wake up for it. Raises ValueError when `expires_at` has no zone.
    """

    notification_id: UUID
    target: str = field(repr=False)
    target_kind: TargetKind
    title: str
    body: str
    expires_at: datetime
    urgent: bool

    def __post_init__(self) -> None:
        if self.expires_at.utcoffset() is None:
            raise ValueError("expires_at must be aware")

    @property
    def collapse_id(self) -> str:
        """The same for every repeat, so that the person sees the message once."""
        return str(self.notification_id)

    def time_to_live(self, now: datetime) -> timedelta:
        """How long the message is still worth showing; zero when it has expired."""
        return max(self.expires_at - now, timedelta(0))


@dataclass(frozen=True, slots=True)
class SendResult:
    """The outcome for one message.

    `provider_id` names an accepted message at the provider. `retry_after` is the wait the
    provider asked for, None when it named none. `error` is a short stable name of a class of
    error, never the provider's text, which may repeat the target. `service` names who answered,
    where a channel has many of them: a fault of ours is then one with that service alone.
    """

    outcome: Outcome
    provider_id: str = ""
    retry_after: timedelta | None = None
    error: str = ""
    service: str = ""


class Sender(Protocol):
    """Hands messages to one provider."""

    @property
    def name(self) -> str:
        """A short stable name of the channel, for records and metrics."""
        ...

    def send(self, messages: Sequence[PushMessage], *, now: datetime) -> list[SendResult]:
        """One result for each message, in the same order. Never raises; bounded in time."""
        ...
