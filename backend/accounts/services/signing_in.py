"""Signing in and out with opaque tokens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.utils.translation import gettext as _

from backend import errors
from backend.accounts import audit, rate_limits
from backend.accounts.actor import Actor, Role
from backend.accounts.models import AccessToken, Device, User
from backend.accounts.services.devices import lock_account
from backend.accounts.tokens import hash_token, new_token

TOKEN_LIFE = timedelta(days=180)
STAFF_TOKEN_LIFE = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """`token` is shown this once and never stored."""

    token: str
    expires_at: datetime
    user: User


def sign_in(*, email: str, password: str, address: str, request_id: str, now: datetime) -> SignedIn:
    """Raises `Unauthenticated` alike for an unknown address, a wrong password, a closed account.

    Raises `RateLimited` by account and by network address, before the password is looked at.
    """
    user = verify_password(email=email, password=password, address=address, now=now)
    with transaction.atomic():
        _refuse_changed_password(user)
        return issue_token(user=user, request_id=request_id, now=now)


def verify_password(*, email: str, password: str, address: str, now: datetime) -> User:
    """The active account that this password opens, for whatever kind of sign-in.

    Raises `Unauthenticated` alike for an unknown address, a wrong password, a closed account, and
    `RateLimited` by account and by network address, before the password is looked at.
    """
    email = email.strip().lower()
    rate_limits.spend(rate_limits.SIGN_IN_BY_ADDRESS, address, now=now)
    rate_limits.spend(rate_limits.SIGN_IN_BY_ACCOUNT, email, now=now)
    user = User.objects.filter(email=email).first()
    if not _password_is_right(user, password) or user is None or not user.is_active:
        raise _wrong_credentials()
    return user


def _refuse_changed_password(user: User) -> None:
    """A password that was changed while it was compared opens nothing any more."""
    unchanged = User.objects.select_for_update(no_key=True).filter(
        pk=user.pk, password=user.password, is_active=True
    )
    if unchanged.first() is None:
        raise _wrong_credentials()


def _wrong_credentials() -> errors.Unauthenticated:
    return errors.Unauthenticated(
        "wrong_credentials", _("This e-mail address and password do not go together.")
    )


def _password_is_right(user: User | None, password: str) -> bool:
    if user is None:
        # As slow as a real comparison, so that time does not tell who has an account.
        make_password(password)
        return False
    return check_password(password, user.password)


def issue_token(*, user: User, request_id: str, now: datetime) -> SignedIn:
    """A new token for this account, audited. Runs inside the caller's transaction."""
    life = TOKEN_LIFE if user.role == Role.PATIENT else STAFF_TOKEN_LIFE
    token = new_token()
    row = AccessToken.objects.create(user=user, token_hash=hash_token(token), expires_at=now + life)
    actor = Actor(user_id=user.pk, role=Role(user.role), request_id=request_id)
    audit.record(actor=actor, action="sign_in", object_kind="access_token", object_id=row.pk)
    return SignedIn(token=token, expires_at=row.expires_at, user=user)


@transaction.atomic
def sign_out(*, actor: Actor, token: AccessToken, now: datetime) -> None:
    """Ends this token and unbinds its device, so that nothing queued reaches this phone."""
    # The phone first, as everywhere: two that lock in two orders would wait for each other.
    lock_account(token.user_id)
    # The token may have been given its phone while this request was on its way.
    bound = AccessToken.objects.filter(pk=token.pk).values("device_id")
    Device.objects.filter(pk__in=bound, unbound_at__isnull=True).update(
        unbound_at=now, unbound_reason="signed_out"
    )
    AccessToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=now)
    audit.record(actor=actor, action="sign_out", object_kind="access_token", object_id=token.pk)
