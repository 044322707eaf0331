"""Proving once more, in the middle of a session, that it is still the same person."""

from __future__ import annotations

from datetime import datetime

from backend import errors
from backend.accounts.actor import Actor
from backend.accounts.models import User
from backend.accounts.services import second_factors


def count_try(*, actor: Actor, now: datetime) -> None:
    """Raises `RateLimited`. Called before a code is looked at, outside every transaction."""
    second_factors.count_try(User.objects.get(pk=str(actor.user_id)), now=now)


def take_code(*, actor: Actor, code: str, now: datetime) -> None:
    """Uses up a fresh code of the app, or a recovery code, in the caller's transaction.

    Raises `Invalid` for any other and for one that was used.
    """
    user = User.objects.select_for_update(no_key=True).get(pk=str(actor.user_id))
    if second_factors.take_code(actor=actor, user=user, code=code, now=now) is None:
        raise errors.invalid_field("/code", "wrong_code", second_factors.wrong_code_words())
