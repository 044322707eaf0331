"""An administrator lets a colleague set up their second step anew, and the colleague is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from backend.accounts.access import access_administrator, not_found
from backend.accounts.actor import Actor
from backend.accounts.models import User
from backend.accounts.services import step_up
from backend.accounts.services.second_factors import remove_factors_of
from backend.queue import Job, enqueue_on_commit

NEXT_TRY = timedelta(minutes=1)
"""Longer than handing over one mail can take: moving the time on is the lease."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One mail to send. Held in memory alone."""

    user_id: UUID
    email: str = field(repr=False)
    language: str
    next_try_at: datetime


def remove_colleagues_second_factors(
    *, actor: Actor, clinician_id: UUID, reason: str, code: str, now: datetime
) -> None:
    """An administrator's: the same for a clinician of their organisation, who is told by mail.

    `code` is a fresh one of the administrator's own app, or a recovery code. Raises `Forbidden`,
    `NotFound` for a clinician of another organisation, `Invalid` for a wrong code, `RateLimited`.
    """
    organisation_id = access_administrator(actor).organisation_id
    step_up.count_try(actor=actor, now=now)
    with transaction.atomic():
        user = (
            User.objects.select_for_update(no_key=True, of=("self",))
            .filter(clinician__pk=clinician_id, clinician__organisation_id=organisation_id)
            .first()
        )
        if user is None:
            raise not_found()
        step_up.take_code(actor=actor, code=code, now=now)
        remove_factors_of(user, actor=actor, facts={"reason": reason}, now=now)
        User.objects.filter(pk=user.pk).update(notice_due_at=now)
        enqueue_on_commit(Job.SEND_PASSWORD_MAILS)


@transaction.atomic
def claim_notice(*, now: datetime) -> Notice | None:
    """The next colleague to be told; None when there is none. Tried again until it is settled."""
    user = (
        User.objects.select_for_update(no_key=True, skip_locked=True)
        .filter(notice_due_at__lte=now, is_active=True)
        .order_by("notice_due_at")
        .first()
    )
    if user is None:
        return None
    again = now + NEXT_TRY
    User.objects.filter(pk=user.pk).update(notice_due_at=again)
    return Notice(user.pk, user.email, user.language, again)


def settle_notice(notice: Notice) -> bool:
    """The mail is on its way; whether nothing newer is to be told."""
    told = User.objects.filter(pk=notice.user_id, notice_due_at=notice.next_try_at)
    return told.update(notice_due_at=None) == 1
