"""E-mail to a clinician's own address, by Django's mail."""

from __future__ import annotations

import contextlib
import functools
import smtplib
from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from backend.notifications.push import Outcome, PushMessage, SendResult
from worker.channels.bounded import BoundedCalls

MOST_AT_ONCE = 8
GRACE_SECONDS = 1.0


class MailSender:
    """Hands each message to the mail server over a connection of its own, a few side by side.

    One `send` takes no longer than the time-out and a second; what has not been handed over by
    then is UNKNOWN. A repeat has the same Message-ID, by which mail programs show it once.
    """

    name = "email"

    def __init__(self, *, timeout_seconds: float = 4.0) -> None:
        if timeout_seconds <= 0:
            raise ValueError("timeout_seconds must be positive")
        self._timeout = timeout_seconds
        self._calls = BoundedCalls(limit=MOST_AT_ONCE)

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
        message_id = f"<{message.collapse_id}@{_domain()}>"
        connection = get_connection(timeout=int(self._timeout))
        mail = EmailMessage(
            subject=message.title,
            body=f"{message.body}\n",
            to=[message.target],
            headers={"Message-ID": message_id, "Auto-Submitted": "auto-generated"},
            connection=connection,
        )
        try:
            mail.send()
        except Exception as error:  # whatever a mail server or the way to it may do
            # Django leaves the connection open when signing in there has failed.
            with contextlib.suppress(Exception):
                connection.close()
            return SendResult(_outcome(error), error=type(error).__name__)
        return SendResult(Outcome.ACCEPTED, provider_id=message_id)


def _domain() -> str:
    return settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ") or "localhost"


def _outcome(error: Exception) -> Outcome:
    """By the class and the reply's code (RFC 5321, 4.2), never by its text."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = {code for code, _text in error.recipients.values()}
        return _by_code(max(codes, default=0), refused=Outcome.TARGET_GONE)
    if isinstance(error, smtplib.SMTPAuthenticationError | smtplib.SMTPNotSupportedError):
        return Outcome.OUR_FAULT
    if isinstance(error, smtplib.SMTPSenderRefused):
        return _by_code(error.smtp_code, refused=Outcome.OUR_FAULT)
    if isinstance(error, smtplib.SMTPResponseException):
        return _by_code(error.smtp_code, refused=Outcome.REJECTED)
    return Outcome.UNKNOWN


def _by_code(code: int, *, refused: Outcome) -> Outcome:
    """5yz is for good; 4yz asks for another try later, and 421, 450 to 452 for a slower one."""
    if 500 <= code <= 599:
        return refused
    return Outcome.RATE_LIMITED if code in (421, 450, 451, 452) else Outcome.UNKNOWN
