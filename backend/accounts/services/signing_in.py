"""Signing in and out with opaque tokens."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.utils.translation import gettext as _

from backend import errors
from backend.accounts import audit, rate_limits
from backend.accounts.actor import Actor, Role
from backend.accounts.models import AccessToken, Device, User
from backend.accounts.services import second_step
from backend.accounts.services.devices import lock_account
from backend.accounts.services.second_step import MfaRequired
from backend.accounts.tokens import hash_token, new_token

TOKEN_LIFE = timedelta(days=180)
STAFF_TOKEN_LIFE = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """`token` and `recovery_codes` are shown this once and never stored."""

    token: str = field(repr=False)
    expires_at: datetime
    user: User
    recovery_codes: tuple[str, ...] = field(default=(), repr=False)


def sign_in(
    *, email: str, password: str, address: str, request_id: str, now: datetime, code: str = ""
) -> SignedIn | MfaRequired:
    """A token for a patient; for everybody else, the second step that their token needs.

    Who has an app set up may give its `code` at once, and the step is done. Raises what
    `verify_password` raises, and with a code what `sign_in_with_code` raises.
    """
    user = verify_password(email=email, password=password, address=address, now=now)
    with transaction.atomic():
        _refuse_changed_password(user)
        if user.role == Role.PATIENT:
            return issue_token(user=user, request_id=request_id, now=now)
        required = second_step.begin(user=user, request_id=request_id, now=now)
    if not (code and required.is_enrolled):
        return required
    return sign_in_with_code(
        mfa_token=required.token, code=code, address=address, request_id=request_id, now=now
    )


def sign_in_with_code(
    *, mfa_token: str, code: str, address: str, request_id: str, now: datetime
) -> SignedIn:
    """The token of a member of staff, for the second step of their sign-in.

    The first time it confirms the app that was set up, and recovery codes come with it. Raises
    what `second_step.open_challenge` and `second_step.pass_with_code` raise.
    """
    challenge = second_step.open_challenge(token=mfa_token, address=address, now=now)
    with transaction.atomic():
        codes = second_step.pass_with_code(
            challenge=challenge, code=code, request_id=request_id, now=now
        )
        signed_in = issue_token(user=challenge.user, request_id=request_id, now=now)
    return replace(signed_in, recovery_codes=codes)


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
    bound = AccessToken.objects.filter(pk=token.pk).values_list("device_id", flat=True).first()
    if bound is not None:
        Device.objects.filter(pk=bound, unbound_at__isnull=True).update(
            unbound_at=now, unbound_reason="signed_out"
        )
    AccessToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=now)
    audit.record(
        actor=actor,
        action="sign_out",
        object_kind="access_token",
        object_id=token.pk,
        facts={"device": None if bound is None else str(bound)},
    )
