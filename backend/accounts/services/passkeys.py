"""Passkeys (WebAuthn) as the second step of a sign-in to the pages. Yubico's `fido2` checks them.

`host` is the name that the browser knows us by. A passkey made for one name works for no other,
which is why none can be phished.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestedCredentialData,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from backend import errors
from backend.accounts import audit
from backend.accounts.access import not_found
from backend.accounts.actor import Actor
from backend.accounts.models import FactorKind, SecondFactor, User

MOST_PASSKEYS = 10
_NAME = "Handrail"


@dataclass(frozen=True, slots=True)
class Ceremony:
    """What the browser is given, and what we keep for its answer."""

    options: Mapping[str, Any]
    state: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SignedByPasskey:
    """What the browser sent, and what we had kept for it."""

    host: str
    state: Mapping[str, Any]
    answer: Mapping[str, Any]


def passkeys_of(user: User) -> list[SecondFactor]:
    """The account's passkeys, the oldest first."""
    return list(
        SecondFactor.objects.filter(user=user, kind=FactorKind.PASSKEY).order_by("created_at")
    )


def begin_adding(*, user: User, host: str) -> Ceremony:
    """Asks the browser for a new passkey, none that this account has already."""
    person = PublicKeyCredentialUserEntity(
        id=user.pk.bytes, name=user.email, display_name=user.email
    )
    options, state = _server(host).register_begin(
        person,
        _credentials(passkeys_of(user)),
        resident_key_requirement=ResidentKeyRequirement.DISCOURAGED,
        user_verification=UserVerificationRequirement.PREFERRED,
    )
    return Ceremony(dict(options), state)


def add_passkey(*, actor: Actor, signed: SignedByPasskey, name: str, now: datetime) -> None:
    """Stores the public part of a new passkey.

    Raises `Invalid` for an answer that is not to our question, or a passkey too many.
    """
    user = User.objects.get(pk=str(actor.user_id))
    try:
        server = _server(signed.host)
        made = server.register_complete(dict(signed.state), dict(signed.answer)).credential_data
    except Exception:
        raise _not_accepted() from None
    if made is None or len(passkeys_of(user)) >= MOST_PASSKEYS:
        raise _not_accepted()
    try:
        with transaction.atomic():
            row = SecondFactor.objects.create(
                user=user,
                kind=FactorKind.PASSKEY,
                name=name[:60],
                credential=bytes(made),
                credential_key=_key(made.credential_id),
                created_at=now,
            )
            audit.record(actor=actor, action="passkey.add", object_kind="passkey", object_id=row.pk)
    except IntegrityError:
        raise _not_accepted() from None


@transaction.atomic
def remove_passkey(*, actor: Actor, passkey_id: UUID) -> None:
    """Raises `NotFound` for one that is not this account's."""
    mine = SecondFactor.objects.filter(pk=passkey_id, user_id=str(actor.user_id))
    if not mine.filter(kind=FactorKind.PASSKEY).delete()[0]:
        raise not_found()
    audit.record(actor=actor, action="passkey.remove", object_kind="passkey", object_id=passkey_id)


def begin_asking(*, user: User, host: str) -> Ceremony | None:
    """Asks the browser for one of the account's passkeys; None where it has none."""
    known = passkeys_of(user)
    if not known:
        return None
    options, state = _server(host).authenticate_begin(
        _credentials(known), user_verification=UserVerificationRequirement.PREFERRED
    )
    return Ceremony(dict(options), state)


def is_answer(*, user: User, signed: SignedByPasskey, now: datetime) -> bool:
    """Whether one of the account's passkeys signed our question."""
    known = passkeys_of(user)
    try:
        used = _server(signed.host).authenticate_complete(
            dict(signed.state), _credentials(known), dict(signed.answer)
        )
    except Exception:
        return False
    SecondFactor.objects.filter(user=user, credential_key=_key(used.credential_id)).update(
        last_used_at=now
    )
    return True


def _server(host: str) -> Fido2Server:
    return Fido2Server(PublicKeyCredentialRpEntity(id=host, name=_NAME))


def _credentials(rows: Sequence[SecondFactor]) -> list[AttestedCredentialData]:
    return [AttestedCredentialData(bytes(row.credential)) for row in rows]


def _key(credential_id: bytes) -> str:
    return hashlib.sha256(credential_id).hexdigest()


def _not_accepted() -> errors.Invalid:
    return errors.invalid_field("/passkey", "not_accepted", _("This passkey was not accepted."))
