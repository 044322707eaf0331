"""By which ways messages can leave, and what is missing for one that was begun."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from backend.start import ENVIRONMENT


@register(ENVIRONMENT)
def channels_are_whole(**_: Any) -> list[CheckMessage]:
    """For the processes that send; in production alone."""
    if not settings.IS_PRODUCTION or settings.DATABASE_ROLE != "worker":
        return []
    return [*_twilio(), *_web_push(), *_links(), *_alone()]


@register(ENVIRONMENT)
def browsers_are_reached(**_: Any) -> list[CheckMessage]:
    """For the web process as well, which takes subscriptions in; in production alone."""
    if not (settings.IS_PRODUCTION and settings.WEB_PUSH_LOCAL):
        return []
    return [
        Error(
            "WEB_PUSH_LOCAL is set: anybody could have this server post to addresses of its own.",
            "Remove WEB_PUSH_LOCAL.",
            id="handrail.E033",
        )
    ]


def _twilio() -> Iterator[CheckMessage]:
    given = [
        bool(settings.TWILIO_ACCOUNT),
        bool(settings.TWILIO_TOKEN),
        bool(settings.TWILIO_SENDER),
    ]
    if any(given) and not all(given):
        yield Error(
            "TWILIO_ACCOUNT, TWILIO_TOKEN and TWILIO_SENDER are set in part: no SMS would leave.",
            "Set all three, or none.",
            id="handrail.E030",
        )
    if settings.TWILIO_ENDPOINT:
        yield Error(
            "TWILIO_ENDPOINT is set: SMS would go to a stand-in and reach nobody.",
            "Remove TWILIO_ENDPOINT.",
            id="handrail.E031",
        )


def _web_push() -> Iterator[CheckMessage]:
    if settings.VAPID_PRIVATE_KEY and not settings.VAPID_SUBJECT:
        yield Error(
            "VAPID_PRIVATE_KEY is set without VAPID_SUBJECT: browsers would refuse every push.",
            "Set VAPID_SUBJECT to a mailto: address at which a push service finds you.",
            id="handrail.E032",
        )


def _links() -> Iterator[CheckMessage]:
    if settings.PUBLIC_URL and not settings.PUBLIC_URL.startswith("https://"):
        yield Error(
            "PUBLIC_URL does not begin with https://: a support contact's link would be read on"
            " its way, and whoever has it may answer for them.",
            "Set PUBLIC_URL to the https address of the pages, or leave it empty.",
            id="handrail.E035",
        )


def _alone() -> Iterator[CheckMessage]:
    if not settings.TWILIO_ACCOUNT:
        yield Warning(
            "SMS is not configured: a clinician without a phone app is reached by e-mail alone.",
            "Set TWILIO_ACCOUNT, TWILIO_TOKEN and TWILIO_SENDER.",
            id="handrail.W030",
        )
    if settings.EMAIL_HOST == "localhost":
        yield Warning(
            "EMAIL_HOST is localhost: codes and messages by e-mail need a mail server there.",
            "Set EMAIL_HOST to your mail server.",
            id="handrail.W031",
        )
    if not settings.JOURNAL_FILE:
        yield Warning(
            "JOURNAL_FILE is not set: after a restore, people who moved on may be told again.",
            "Set it to a file on storage that outlives the database.",
            id="handrail.W032",
        )
    if not settings.HEALTHCHECK_PING_URL:
        yield Warning(
            "HEALTHCHECK_PING_URL is not set: nobody outside notices when all of this is silent.",
            "Set it to an address of a dead-man's switch that calls a person.",
            id="handrail.W033",
        )
