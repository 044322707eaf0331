"""Mailing the codes with which somebody sets a password, and what was done to a sign-in.

Subject and body say nothing about who sends this or why: they may stand on a locked screen.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog
from django.core.mail import send_mail
from django.db import connection
from django.utils import translation
from django.utils.translation import gettext as _

from backend.accounts.services import (
    Notice,
    PasswordCode,
    claim_notice,
    claim_password_code,
    hand_back_password_code,
    settle_notice,
    settle_password_code,
)
from backend.notifications.selectors import delivery_is_paused

logger = structlog.get_logger(__name__)

MOST_MAILS = 4
"""In one call: each may take as long as the mail server lets it."""

Clock = Callable[[], datetime]


def send_password_mails(*, now: Clock) -> int:
    """Mails what is due; returns how many were tried. Any number of senders may run at once.

    Notices of a removed second step leave the same way, until they are handed over. A mail that
    cannot be handed over is tried again until its code has expired. Raises RuntimeError inside a
    transaction: a mail cannot be rolled back.
    """
    if connection.in_atomic_block:
        raise RuntimeError("mails are sent outside any transaction")
    if delivery_is_paused():
        return 0
    tried = 0
    while tried < MOST_MAILS and (code := claim_password_code(now=now())) is not None:
        tried += 1
        try:
            _send(code)
        except Exception as error:  # whatever a mail server or the way to it may do
            logger.warning("mail_not_sent", channel="email", error=type(error).__name__)
            hand_back_password_code(code=code, now=now())
        else:
            settle_password_code(code=code, now=now())
    while tried < MOST_MAILS and (notice := claim_notice(now=now())) is not None:
        tried += 1
        try:
            _tell(notice)
        except Exception as error:
            logger.warning("mail_not_sent", channel="email", error=type(error).__name__)
        else:
            settle_notice(notice)
    return tried


def _tell(notice: Notice) -> None:
    with translation.override(notice.language):
        words = (
            _("The second step of your sign-in was taken away. You were signed out everywhere."),
            _("You set up a new one when you sign in next."),
            _("If you did not ask for it, tell your administrator now."),
        )
        send_mail(_("Your sign-in"), "\n\n".join(words) + "\n", None, [notice.email])


def _send(code: PasswordCode) -> None:
    with translation.override(code.language):
        life = _("It works for three days.") if code.is_first else _("It works for 30 minutes.")
        words = (
            _("Here is your code: %(code)s") % {"code": code.code},
            life,
            _("If you did not ask for it, you need not do anything."),
        )
        send_mail(_("Your code"), "\n\n".join(words) + "\n", None, [code.email])
