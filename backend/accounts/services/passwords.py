"""New passwords: for who forgot theirs, for who has none yet, for who wants another."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from backend import errors
from backend.accounts import audit, rate_limits
from backend.accounts.actor import Actor, Role
from backend.accounts.models import AccessToken, PasswordReset, ResetPurpose, User
from backend.accounts.tokens import hash_code
from backend.queue import Job, enqueue_on_commit

LONGEST_EMAIL = 254


def request_password_reset(*, email: str, address: str, request_id: str, now: datetime) -> None:
    """Notes that somebody wants a new password for this address, whoever has it.

    Whether there is such an account is looked up by the one who mails, so that neither the answer
    nor its time tells. Raises `RateLimited` by network address and by e-mail address.
    """
    email = email.strip().lower()
    rate_limits.spend(rate_limits.RESET_BY_ADDRESS, address, now=now)
    rate_limits.spend(rate_limits.RESET_BY_EMAIL, email, now=now)
    if len(email) > LONGEST_EMAIL:  # lower case may be longer than what was typed
        return
    actor = Actor(user_id=None, role=Role.SYSTEM, request_id=request_id, name="password_reset")
    with transaction.atomic():
        queue_password_code(actor=actor, email=email, purpose=ResetPurpose.FORGOTTEN, now=now)


def queue_password_code(*, actor: Actor, email: str, purpose: ResetPurpose, now: datetime) -> None:
    """Has a code mailed to this address, in the caller's transaction. Earlier codes stop working.

    `email` is in lower case.
    """
    wish = PasswordReset(
        email=email,
        purpose=purpose.value,
        requested_at=now,
        expires_at=now + PasswordReset.LIVES[purpose.value],
        due_at=now,
    )
    PasswordReset.objects.bulk_create(
        [wish],
        update_conflicts=True,
        unique_fields=["email"],
        update_fields=[
            "purpose", "requested_at", "expires_at", "due_at", "attempts", "code_hash", "sent_at",
            "lease_token", "lease_expires_at",
        ],
    )  # fmt: skip
    audit.record(actor=actor, action="password_code.request", facts={"purpose": purpose.value})
    enqueue_on_commit(Job.SEND_PASSWORD_MAILS)


def confirm_password_reset(
    *, email: str, code: str, password: str, address: str, request_id: str, now: datetime
) -> None:
    """Sets the password of the account whose code this is, and ends all its sign-ins.

    Raises `Invalid` alike for an unknown address and a wrong, used, replaced or expired code;
    `Invalid` for a weak password, before anything is looked up; `RateLimited`.
    """
    email = email.strip().lower()
    rate_limits.spend(rate_limits.CONFIRM_BY_ADDRESS, address, now=now)
    rate_limits.spend(rate_limits.CONFIRM_BY_EMAIL, email, now=now)
    refuse_weak_password(password, User(email=email))
    encoded = make_password(password)  # for every try, so that time tells nothing either
    with transaction.atomic():
        wish = PasswordReset.objects.filter(
            email=email, code_hash=hash_code(code), expires_at__gt=now
        )
        user = User.objects.select_for_update(no_key=True).filter(email=email, is_active=True)
        # The account first, here and where a password is changed.
        owner, found = user.first(), wish.select_for_update().first()
        if found is None or owner is None:
            raise errors.invalid_field(
                "/code", "unknown_code", _("This code does not work for this address any more.")
            )
        actor = Actor(user_id=owner.pk, role=Role(owner.role), request_id=request_id)
        User.objects.filter(pk=owner.pk).update(password=encoded)
        _after_new_password(actor=actor, user=owner, keep=None, now=now)


def change_password(
    *, actor: Actor, token: AccessToken, current_password: str, password: str, now: datetime
) -> None:
    """Sets another password for the signed-in account; every sign-in but this one ends.

    Raises `Invalid` for a wrong current password and a weak new one, `Conflict` when it was
    changed elsewhere at the same moment, `RateLimited` by account.
    """
    user = confirm_password(
        actor=actor,
        password=current_password,
        pointer="/current_password",
        action="password.change",
        now=now,
    )
    refuse_weak_password(password, user)
    encoded = make_password(password)
    with transaction.atomic():
        same = User.objects.filter(pk=user.pk, password=user.password, is_active=True)
        if not same.update(password=encoded):
            raise errors.Conflict(
                "password_changed", _("The password was changed elsewhere. Please sign in again.")
            )
        _after_new_password(actor=actor, user=user, keep=token.pk, now=now)


def confirm_password(
    *, actor: Actor, password: str, pointer: str, action: str, now: datetime
) -> User:
    """The signed-in account, when this is its password: asked again before what cannot be undone.

    Raises `Invalid`, audited as a refusal of `action`, and `RateLimited` by account. Call it
    outside a transaction, so that a wrong one counts.
    """
    rate_limits.spend(rate_limits.PASSWORD_BY_ACCOUNT, str(actor.user_id), now=now)
    user = User.objects.get(pk=str(actor.user_id))
    if not check_password(password, user.password):
        audit.record_denial(actor=actor, action=action, patient_id=None)
        raise errors.invalid_field(pointer, "wrong_password", _("This is not your password."))
    return user


def refuse_weak_password(password: str, user: User) -> None:
    """Raises `Invalid`, saying what is missing. `user` need not be stored."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise errors.invalid_field("/password", "weak_password", " ".join(error.messages)) from None


def _after_new_password(*, actor: Actor, user: User, keep: UUID | None, now: datetime) -> None:
    # Phones stay bound: what they show is neutral, and reading it needs a new sign-in.
    ended = AccessToken.objects.filter(user=user, revoked_at__isnull=True)
    count = (ended if keep is None else ended.exclude(pk=keep)).update(revoked_at=now)
    PasswordReset.objects.filter(email=user.email).delete()
    audit.record(
        actor=actor,
        action="password.set" if keep is None else "password.change",
        object_kind="user",
        object_id=user.pk,
        facts={"tokens": count},
    )
