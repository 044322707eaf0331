"""Phones. A push target belongs to one person at a time: the last to register it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from backend import errors
from backend.accounts import audit
from backend.accounts.access import not_found
from backend.accounts.actor import Actor
from backend.accounts.models import AccessToken, Device, User
from backend.accounts.services.push_targets import PushTarget
from backend.row_security import acting_as_system


@dataclass(frozen=True, slots=True)
class RegisteredDevice:
    """`is_new` is false when the same registration stood already."""

    device: Device
    is_new: bool


def _own_id(actor: Actor) -> UUID:
    """The account that acts. Phones are people's: the system has none."""
    assert actor.user_id is not None
    return actor.user_id


def lock_account(user_id: UUID) -> None:
    """Signing out and registering a phone of one account go one at a time.

    Else a phone registered in the middle of signing out would stay bound to a token that ended.
    """
    User.objects.select_for_update(no_key=True).get(pk=user_id)


def _lock(*keys: str) -> None:
    # A new row cannot be locked before it exists, so the keys are. In one order, for all.
    numbers = sorted(
        int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], signed=True) for key in keys
    )
    with connection.cursor() as cursor:
        for number in numbers:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


@transaction.atomic
def register_device(
    *,
    actor: Actor,
    token: AccessToken,
    installation_id: UUID,
    target: PushTarget,
    is_private: bool | None,
    now: datetime,
) -> RegisteredDevice:
    """Binds this installation and push target to the signed-in account, and to nobody else.

    Whoever held either loses the binding and the tokens of that phone at once. `is_private` is
    None when the app does not say: then what this person said of this phone before still holds.
    Raises `Unauthenticated` when the token was revoked in the meantime.
    """
    lock_account(_own_id(actor))
    kind, push_target = target.kind, target.push_target
    _lock(f"installation:{installation_id}", f"target:{kind}:{push_target}")
    # Whose phone this was before is not shown to whose it is now, and has to be let go.
    with acting_as_system("device.register"):
        holders = list(
            # Locked in one order: two phones that swap their targets would wait for each other.
            Device.objects.select_for_update()
            .filter(Q(installation_id=installation_id) | Q(kind=kind, push_target=push_target))
            .filter(unbound_at__isnull=True)
            .order_by("pk")
        )
        mine = next((device for device in holders if _is_of(device, actor, installation_id)), None)
        _unbind([device for device in holders if device is not mine], actor=actor, now=now)
    if is_private is None:
        is_private = _said_before(actor, installation_id)
    values = {**asdict(target), "is_private": is_private}
    is_new = mine is None
    if mine is None:
        mine = Device.objects.create(
            installation_id=installation_id, user_id=_own_id(actor), registered_at=now, **values
        )
    else:
        Device.objects.filter(pk=mine.pk).update(**values)
        mine.refresh_from_db()
    # A phone that was revoked while this request was on its way must not come back by it.
    if not AccessToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(device=mine):
        raise errors.Unauthenticated("unauthenticated", _("Please sign in again."))
    audit.record(
        actor=actor,
        action="device.register",
        object_kind="device",
        object_id=mine.pk,
        facts={"is_private": mine.is_private},
    )
    return RegisteredDevice(device=mine, is_new=is_new)


def _said_before(actor: Actor, installation_id: UUID) -> bool:
    """Whether this phone is private, as this person said last; a new one is."""
    said = (
        Device.objects.filter(installation_id=installation_id, user_id=_own_id(actor))
        .order_by(F("unbound_at").desc(nulls_first=True), "-registered_at")
        .values_list("is_private", flat=True)
        .first()
    )
    return True if said is None else said


def _is_of(device: Device, actor: Actor, installation_id: UUID) -> bool:
    return device.installation_id == installation_id and device.user_id == actor.user_id


def _unbind(devices: Sequence[Device], *, actor: Actor, now: datetime) -> None:
    for device in devices:
        Device.objects.filter(pk=device.pk).update(
            unbound_at=now, unbound_reason="registered_elsewhere"
        )
        is_handed_over = device.user_id != actor.user_id
        if is_handed_over:
            AccessToken.objects.filter(device=device, revoked_at__isnull=True).update(
                revoked_at=now
            )
        audit.record(
            actor=actor,
            action="device.unbind",
            object_kind="device",
            object_id=device.pk,
            facts={"handed_over": is_handed_over},
        )


@transaction.atomic
def set_device_privacy(*, actor: Actor, installation_id: UUID, is_private: bool) -> Device:
    """Says whether this phone of one's own is private. One that is not gets no more messages.

    What is queued already is held to it too, as senders read it again. Raises `NotFound` for a
    phone that is not bound to this account.
    """
    device = (
        Device.objects.select_for_update()
        .filter(installation_id=installation_id, user_id=_own_id(actor), unbound_at__isnull=True)
        .first()
    )
    if device is None:
        raise not_found()
    if device.is_private != is_private:
        device.is_private = is_private
        device.save(update_fields=["is_private"])
        audit.record(
            actor=actor,
            action="device.privacy",
            object_kind="device",
            object_id=device.pk,
            facts={"is_private": is_private},
        )
    return device


@transaction.atomic
def revoke_device(*, actor: Actor, installation_id: UUID, now: datetime) -> None:
    """Unbinds a phone of one's own and ends its tokens, from the next request on.

    Again, it changes nothing. Raises `NotFound` for a phone that never was this account's.
    """
    mine = Device.objects.filter(installation_id=installation_id, user_id=_own_id(actor))
    # The rows are locked in the order in which registering locks them: phones, then tokens.
    ids = list(mine.select_for_update().order_by("pk").values_list("pk", flat=True))
    if not ids:
        raise not_found()
    unbound = Device.objects.filter(pk__in=ids, unbound_at__isnull=True).update(
        unbound_at=now, unbound_reason="revoked"
    )
    ended = AccessToken.objects.filter(device_id__in=ids, revoked_at__isnull=True).update(
        revoked_at=now
    )
    if unbound or ended:
        audit.record(
            actor=actor,
            action="device.revoke",
            object_kind="installation",
            object_id=installation_id,
            facts={"tokens": ended},
        )


@transaction.atomic
def sign_out_everywhere(*, actor: Actor, now: datetime) -> None:
    """Ends every token, every phone and every browser's session of this account, this one too."""
    # The account's row first, so that two of these go one after the other.
    User.objects.filter(pk=_own_id(actor)).update(
        sign_outs_everywhere=F("sign_outs_everywhere") + 1
    )
    mine = Device.objects.filter(user_id=_own_id(actor), unbound_at__isnull=True)
    ids = list(mine.select_for_update().order_by("pk").values_list("pk", flat=True))
    Device.objects.filter(pk__in=ids).update(unbound_at=now, unbound_reason="signed_out")
    ended = AccessToken.objects.filter(user_id=_own_id(actor), revoked_at__isnull=True).update(
        revoked_at=now
    )
    audit.record(
        actor=actor,
        action="sign_out.everywhere",
        object_kind="user",
        object_id=actor.user_id,
        facts={"tokens": ended, "devices": len(ids)},
    )


@transaction.atomic
def retire_device(
    *, actor: Actor, device_id: UUID, push_target: str, reason: str, now: datetime
) -> bool:
    """Unbinds a device whose target is gone; whether it was still bound to that target.

    A phone that has registered a newer target in the meantime keeps it. Its tokens stay: the
    person may still be using the app.
    """
    retired = Device.objects.filter(
        pk=device_id, push_target=push_target, unbound_at__isnull=True
    ).update(unbound_at=now, unbound_reason=reason)
    if retired:
        audit.record(
            actor=actor,
            action="device.retire",
            object_kind="device",
            object_id=device_id,
            facts={"reason": reason},
        )
    return bool(retired)
