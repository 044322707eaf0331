"""The second step of a sign-in: what staff prove themselves with after the password.

A right password opens a challenge. Its token is good for this step alone, once, for a quarter of
an hour, and only while the password stays what it was.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from backend import errors
from backend.accounts import audit, rate_limits, totp
from backend.accounts.actor import Actor, Role
from backend.accounts.models import FactorKind, MfaChallenge, SecondFactor, User
from backend.accounts.services import passkeys, second_factors
from backend.accounts.services.passkeys import Ceremony, SignedByPasskey
from backend.accounts.tokens import hash_token, new_token


@dataclass(frozen=True, slots=True)
class MfaRequired:
    """`token` is shown this once. Who is not enrolled sets up an app first."""

    token: str = field(repr=False)
    expires_at: datetime
    is_enrolled: bool


@dataclass(frozen=True, slots=True)
class ProposedTotp:
    """The key for an authenticator app, and its address for a picture that apps read."""

    secret: str = field(repr=False)
    address: str = field(repr=False)


def begin(*, user: User, request_id: str, now: datetime) -> MfaRequired:
    """Notes that this account's password was right. Runs inside the caller's transaction."""
    MfaChallenge.objects.filter(user=user, expires_at__lte=now).delete()
    token = new_token()
    challenge = MfaChallenge.objects.create(
        user=user,
        token_hash=hash_token(token),
        sign_in_state=user.get_session_auth_hash(),
        expires_at=now + MfaChallenge.LIFE,
    )
    audit.record(actor=_actor(user, request_id), action="sign_in.password", object_kind="user")
    return MfaRequired(token, challenge.expires_at, second_factors.totp_of(user) is not None)


def open_challenge(*, token: str, address: str, now: datetime) -> MfaChallenge:
    """The challenge of this token; counts a try. Never called inside a transaction.

    Raises `Unauthenticated` for a token that is unknown, used or too old, or whose password was
    changed; `RateLimited` by network address and by account, before any code is looked at.
    """
    challenge = _find(token=token, address=address, now=now)
    second_factors.count_try(challenge.user, now=now)
    return challenge


def _find(*, token: str, address: str, now: datetime) -> MfaChallenge:
    rate_limits.spend(rate_limits.MFA_BY_ADDRESS, address, now=now)
    rows = MfaChallenge.objects.filter(
        token_hash=hash_token(token), used_at__isnull=True, expires_at__gt=now
    )
    challenge = rows.select_related("user").first()
    if challenge is None or not _still_holds(challenge, challenge.user):
        raise _too_late()
    return challenge


def _still_holds(challenge: MfaChallenge, user: User) -> bool:
    return user.is_active and challenge.sign_in_state == user.get_session_auth_hash()


def _too_late() -> errors.Unauthenticated:
    return errors.Unauthenticated(
        "mfa_expired", _("This took too long. Please start again with your password.")
    )


def _wrong_code() -> errors.Unauthenticated:
    return errors.Unauthenticated("wrong_code", second_factors.wrong_code_words())


def propose_totp(*, token: str, address: str, now: datetime) -> ProposedTotp:
    """A key for who has no app yet; the same one for the whole of this sign-in.

    Raises `Conflict` for who has one, and what `open_challenge` raises; counts no try.
    """
    user = _find(token=token, address=address, now=now).user
    with transaction.atomic():
        challenge = MfaChallenge.objects.select_for_update().get(token_hash=hash_token(token))
        if second_factors.totp_of(user) is not None:
            raise errors.Conflict(
                "mfa_enrolled", _("An authenticator app is set up for your account already.")
            )
        if not challenge.sealed_secret:
            challenge.sealed_secret = totp.seal(totp.new_secret(), user_id=user.pk)
            challenge.save(update_fields=["sealed_secret"])
    secret = totp.unseal(bytes(challenge.sealed_secret), user_id=user.pk)
    return ProposedTotp(secret, totp.address_of(secret, email=user.email))


def pass_with_code(
    *, challenge: MfaChallenge, code: str, request_id: str, now: datetime
) -> tuple[str, ...]:
    """Takes a code of the app or a recovery code; returns recovery codes when it is the first.

    Runs inside the caller's transaction. Raises `Unauthenticated` for a code that is wrong or was
    used, and for a challenge that somebody else has passed meanwhile.
    """
    user = claim(challenge, now=now)
    actor = _actor(user, request_id)
    if second_factors.totp_of(user) is None:
        return _enrol(challenge, actor=actor, user=user, code=code, now=now)
    way = second_factors.take_code(actor=actor, user=user, code=code, now=now)
    if way is None:
        raise _wrong_code()
    audit.record(actor=actor, action="mfa.pass", object_kind="user", facts={"by": way})
    return ()


def ask_for_passkey(*, token: str, address: str, host: str, now: datetime) -> Ceremony | None:
    """The question for who has a passkey. Raises what `open_challenge` raises; counts no try."""
    return passkeys.begin_asking(user=_find(token=token, address=address, now=now).user, host=host)


def pass_with_passkey(
    *, challenge: MfaChallenge, signed: SignedByPasskey, request_id: str, now: datetime
) -> None:
    """Takes a passkey's answer. Runs inside the caller's transaction; raises as a code does."""
    user = claim(challenge, now=now)
    actor = _actor(user, request_id)
    if not passkeys.is_answer(user=user, signed=signed, now=now):
        second_factors.note_wrong_code(actor)
        raise errors.Unauthenticated("wrong_code", _("This passkey was not accepted."))
    audit.record(actor=actor, action="mfa.pass", object_kind="user", facts={"by": "passkey"})


def claim(challenge: MfaChallenge, *, now: datetime) -> User:
    """Uses the challenge up, unless the transaction is rolled back; returns its locked account."""
    user = User.objects.select_for_update(no_key=True).get(pk=challenge.user_id)
    open_one = MfaChallenge.objects.filter(pk=challenge.pk, used_at__isnull=True)
    if not _still_holds(challenge, user) or not open_one.update(used_at=now):
        raise _too_late()
    return user


def _enrol(
    challenge: MfaChallenge, *, actor: Actor, user: User, code: str, now: datetime
) -> tuple[str, ...]:
    sealed = MfaChallenge.objects.values_list("sealed_secret", flat=True).get(pk=challenge.pk)
    secret = totp.unseal(bytes(sealed), user_id=user.pk) if sealed else ""
    step = totp.matching_step(secret, code, now=now) if secret else None
    if step is None:
        second_factors.note_wrong_code(actor)
        raise _wrong_code()
    SecondFactor.objects.create(
        user=user,
        kind=FactorKind.TOTP,
        sealed_secret=totp.seal(secret, user_id=user.pk),
        last_step=step,
        created_at=now,
        last_used_at=now,
    )
    audit.record(actor=actor, action="mfa.enrol", object_kind="user", object_id=user.pk)
    return second_factors.replace_recovery_codes(user)


def _actor(user: User, request_id: str) -> Actor:
    return Actor(user_id=user.pk, role=Role(user.role), request_id=request_id)
