"""The queue of codes to mail: whose turn it is, and what became of the mail.

A claim commits by itself and leaves a lease; every later write names the lease's token, so two
senders mail one code. A code is made at the claim, known to its sender alone, stored as a hash.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from backend.accounts.models import PasswordReset, ResetPurpose, User
from backend.accounts.tokens import hash_code, new_code

LEASE = timedelta(seconds=60)
"""Longer than handing over one mail can take."""

FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class PasswordCode:
    """One code to mail, under a lease. Held in memory alone."""

    reset_id: UUID
    lease_token: UUID
    email: str = field(repr=False)
    code: str = field(repr=False)
    language: str
    is_first: bool


def claim_password_code(*, now: datetime) -> PasswordCode | None:
    """The next code that is due, made anew; None when there is none.

    Addresses that no open account has are dropped here, unseen by whoever asked.
    """
    token, code = uuid4(), new_code()
    with transaction.atomic():
        forget_password_codes(now=now)
        row = (
            PasswordReset.objects.select_for_update(skip_locked=True)
            .filter(Exists(_owner()), sent_at__isnull=True, due_at__lte=now)
            .filter(Q(lease_expires_at__isnull=True) | Q(lease_expires_at__lte=now))
            .order_by("due_at")
            .first()
        )
        if row is None:
            return None
        row.code_hash, row.attempts = hash_code(code), row.attempts + 1
        row.lease_token, row.lease_expires_at = token, now + LEASE
        row.save(update_fields=["code_hash", "attempts", "lease_token", "lease_expires_at"])
        language = User.objects.values_list("language", flat=True).get(email=row.email)
    return PasswordCode(
        reset_id=row.pk,
        lease_token=token,
        email=row.email,
        code=code,
        language=language,
        is_first=row.purpose == ResetPurpose.FIRST,
    )


def forget_password_codes(*, now: datetime) -> int:
    """Deletes wishes that are over, and unsent ones of addresses without an open account."""
    nobodys = Q(sent_at__isnull=True) & ~Exists(_owner())
    over = PasswordReset.objects.filter(Q(expires_at__lte=now) | nobodys)
    # One that somebody holds is left for the next round, so that nobody waits here.
    ids = list(over.select_for_update(skip_locked=True).values_list("pk", flat=True)[:500])
    deleted, _by_model = PasswordReset.objects.filter(pk__in=ids).delete()
    return deleted


def settle_password_code(*, code: PasswordCode, now: datetime) -> bool:
    """The mail is on its way; whether the lease was still ours."""
    return _held(code).update(sent_at=now, lease_token=None, lease_expires_at=None) == 1


def hand_back_password_code(*, code: PasswordCode, now: datetime) -> bool:
    """It could not be mailed: again after a wait that doubles; whether the lease was still ours."""
    attempts = _held(code).values_list("attempts", flat=True).first() or 0
    wait = min(FIRST_WAIT * (1 << min(attempts, 10)) / 2, LONGEST_WAIT)
    return _held(code).update(due_at=now + wait, lease_token=None, lease_expires_at=None) == 1


def _held(code: PasswordCode) -> QuerySet[PasswordReset]:
    return PasswordReset.objects.filter(
        pk=code.reset_id, lease_token=code.lease_token, sent_at__isnull=True
    )


def _owner() -> QuerySet[User]:
    return User.objects.filter(email=OuterRef("email"), is_active=True)
