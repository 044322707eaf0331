"""The authenticator app and the recovery codes of one account."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import structlog
from cryptography.exceptions import InvalidTag
from django.db import transaction
from django.utils.translation import gettext as _

from backend import errors
from backend.accounts import audit, rate_limits, totp
from backend.accounts.actor import Actor, Role
from backend.accounts.models import FactorKind, MfaChallenge, RecoveryCode, SecondFactor, User
from backend.accounts.services.devices import sign_out_everywhere
from backend.accounts.tokens import hash_code, new_code
from backend.row_security import acting_as_system

logger = structlog.get_logger(__name__)
RECOVERY_CODES = 10


def totp_of(user: User) -> SecondFactor | None:
    """The account's authenticator app."""
    return SecondFactor.objects.filter(user=user, kind=FactorKind.TOTP).first()


def count_try(user: User, *, now: datetime) -> None:
    """Raises `RateLimited`. Called before a code is looked at, outside every transaction."""
    rate_limits.spend(rate_limits.MFA_BY_ACCOUNT_A_DAY, str(user.pk), now=now)
    rate_limits.spend(rate_limits.MFA_BY_ACCOUNT, str(user.pk), now=now)


def take_code(*, actor: Actor, user: User, code: str, now: datetime) -> str | None:
    """Uses up a code of the app or a recovery code and says which of the two it was.

    None, and a line in the audit log, for any other and for one that was used.
    """
    factor = totp_of(user)
    if factor is not None and _take_totp(factor, code, now=now):
        return "totp"
    unused = RecoveryCode.objects.filter(user=user, used_at__isnull=True)
    if unused.filter(code_hash=hash_code(code)).update(used_at=now):
        return "recovery_code"
    note_wrong_code(actor)
    return None


def _take_totp(factor: SecondFactor, code: str, *, now: datetime) -> bool:
    try:
        secret = totp.unseal(bytes(factor.sealed_secret), user_id=factor.user_id)
    except InvalidTag:
        # SECRET_KEY was changed and the earlier one is not among the fallbacks.
        logger.error("second_factor_unreadable", user_id=str(factor.user_id))
        return False
    step = totp.matching_step(secret, code, now=now)
    if step is None:
        return False
    newer = SecondFactor.objects.filter(pk=factor.pk, last_step__lt=step)
    return newer.update(last_step=step, last_used_at=now) == 1


def wrong_code_words() -> str:
    """What is said about any code that opens nothing, so that none tells more than another."""
    return _("This code is wrong or was used already. Please wait for the next one and try that.")


def note_wrong_code(actor: Actor) -> None:
    """Audited although the transaction around it rolls back."""
    audit.record_denial(actor=actor, action="mfa.pass", patient_id=None)


def replace_recovery_codes(user: User) -> tuple[str, ...]:
    """New codes in place of all earlier ones. Runs inside the caller's transaction."""
    codes = tuple(new_code() for _number in range(RECOVERY_CODES))
    RecoveryCode.objects.filter(user=user).delete()
    RecoveryCode.objects.bulk_create(
        RecoveryCode(user=user, code_hash=hash_code(code)) for code in codes
    )
    return codes


def renew_recovery_codes(*, actor: Actor, code: str, now: datetime) -> tuple[str, ...]:
    """Ten new codes for who proves once more that they hold the app; the earlier ones end.

    Raises `Invalid` for a wrong code and `RateLimited` by account.
    """
    user = User.objects.get(pk=str(actor.user_id))
    count_try(user, now=now)
    with transaction.atomic():
        if take_code(actor=actor, user=user, code=code, now=now) is None:
            raise errors.invalid_field("/code", "wrong_code", wrong_code_words())
        codes = replace_recovery_codes(user)
        audit.record(
            actor=actor, action="mfa.recovery_codes", object_kind="user", object_id=user.pk
        )
    return codes


@transaction.atomic
def remove_second_factors(*, actor: Actor, email: str, now: datetime) -> None:
    """For who lost their phone and their codes: they set up an app at their next sign-in.

    Every sign-in of theirs ends. Raises `NotFound` for an address that is nobody's.
    """
    user = User.objects.select_for_update(no_key=True).filter(email=email.strip().lower()).first()
    if user is None:
        raise errors.NotFound("not_found", _("There is nothing here for you."))
    remove_factors_of(user, actor=actor, facts={}, now=now)


def remove_factors_of(user: User, *, actor: Actor, facts: Mapping[str, str], now: datetime) -> None:
    """In the caller's transaction, audited with `facts`. Every sign-in of theirs ends."""
    for kind in (SecondFactor, RecoveryCode, MfaChallenge):
        kind.objects.filter(user=user).delete()
    audit.record(
        actor=actor, action="mfa.remove", object_kind="user", object_id=user.pk, facts=facts
    )
    theirs = Actor(user_id=user.pk, role=Role(user.role), name=actor.name)
    # A colleague's phones and tokens are not shown to who acts here, and have to be ended.
    with acting_as_system("mfa.remove"):
        sign_out_everywhere(actor=theirs, now=now)
