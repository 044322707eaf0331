"""The senders of this process: push to phones, and what stands behind it for clinicians."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import structlog
from django.conf import settings

from backend.notifications.push import Channel, Sender
from worker.channels.mail import MailSender
from worker.channels.push import firebase_sender
from worker.channels.sms import SmsSender
from worker.channels.traced import TracedSender
from worker.channels.twilio_sms import TwilioProvider
from worker.channels.web_push import WebPushSender

logger = structlog.get_logger(__name__)


def require_sender() -> None:
    """Raises SystemExit, saying why, in a process that could send nothing."""
    try:
        push_sender()
        other_senders()
    except ValueError as error:
        raise SystemExit(f"Nothing can be sent: {error}.") from None
    logger.info("channels_configured", channel=",".join(channel_names()))


@cache
def push_sender() -> Sender:
    """Made from the settings. Raises ValueError unless exactly one way to push is configured."""
    return _traced(
        firebase_sender(credentials=settings.FIREBASE_CREDENTIALS, endpoint=settings.FCM_ENDPOINT)
    )


@cache
def other_senders() -> Mapping[Channel, Sender]:
    """What reaches browsers, and clinicians that no phone has.

    E-mail is always there, as forgotten passwords need it; SMS where Twilio is configured, and web
    push where there is a VAPID key. Raises ValueError for half of a configuration.
    """
    found: dict[Channel, Sender] = {Channel.EMAIL: MailSender()}
    if settings.TWILIO_ACCOUNT or settings.TWILIO_TOKEN or settings.TWILIO_SENDER:
        found[Channel.SMS] = SmsSender(
            TwilioProvider(
                account=settings.TWILIO_ACCOUNT,
                token=settings.TWILIO_TOKEN,
                sender=settings.TWILIO_SENDER,
                endpoint=settings.TWILIO_ENDPOINT,
            )
        )
    if settings.VAPID_PRIVATE_KEY:
        found[Channel.WEB_PUSH] = WebPushSender(
            private_key=settings.VAPID_PRIVATE_KEY,
            subject=settings.VAPID_SUBJECT,
            lets_local=settings.WEB_PUSH_LOCAL,
        )
    return MappingProxyType({channel: _traced(sender) for channel, sender in found.items()})


def _traced(sender: Sender) -> Sender:
    return TracedSender(sender) if settings.OTLP_ENDPOINT else sender


def web_push_key() -> str:
    """The public half of the key that browsers' pushes are signed with; empty without one."""
    sender = other_senders().get(Channel.WEB_PUSH)
    sender = sender.sender if isinstance(sender, TracedSender) else sender
    return sender.public_key if isinstance(sender, WebPushSender) else ""


def channel_names() -> list[str]:
    """Of every sender, as records and the operator's page name them."""
    return sorted({push_sender().name, *(sender.name for sender in other_senders().values())})
