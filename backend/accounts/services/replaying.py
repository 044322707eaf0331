"""Doing again, in a restored database, what ended somebody's access after the back-up.

Each changes only what stood at the moment of the act: what came later was not meant by it. Each
returns whether anything changed, runs in the caller's transaction, and leaves an audit row.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db.models import F, Q, QuerySet

from backend.accounts import audit
from backend.accounts.actor import Actor
from backend.accounts.models import AccessToken, CareTeamMember, Device, SecondFactor, User


def unbind_again(
    *, actor: Actor, device_id: UUID, at: datetime, reason: str, ends_tokens: bool
) -> bool:
    """Unbinds one phone, and ends its tokens where the act did."""
    phones = Device.objects.filter(pk=device_id)
    return _end(actor, phones, _tokens(Q(device_id=device_id), ends_tokens), at=at, reason=reason)


def unbind_installation_again(
    *, actor: Actor, user_id: UUID, installation_id: UUID, at: datetime
) -> bool:
    """Unbinds an account's phone by its installation, and ends its tokens."""
    phones = Device.objects.filter(user_id=user_id, installation_id=installation_id)
    tokens = _tokens(Q(device__in=phones), True)
    return _end(actor, phones, tokens, at=at, reason="revoked")


def sign_out_again(*, actor: Actor, token_id: UUID, device_id: UUID | None, at: datetime) -> bool:
    """Ends one token, and unbinds the phone that it was used on."""
    phones = Device.objects.filter(pk=device_id) if device_id else Device.objects.none()
    return _end(actor, phones, _tokens(Q(pk=token_id), True), at=at, reason="signed_out")


def sign_out_everywhere_again(*, actor: Actor, user_id: UUID, at: datetime) -> bool:
    """Ends every token, phone and browser's session that the account had by then."""
    phones = Device.objects.filter(user_id=user_id)
    tokens = _tokens(Q(user_id=user_id), True)
    ended = _end(actor, phones, tokens, at=at, reason="signed_out")
    return _end_sessions(user_id) or ended


def forget_password_again(*, actor: Actor, user_id: UUID, at: datetime) -> bool:
    """Ends the password that was replaced, and its sign-ins. The new one is lost with the rest.

    Who has the account asks for a code by mail, as if they had forgotten it.
    """
    tokens = _tokens(Q(user_id=user_id), True)
    _end(actor, Device.objects.none(), tokens, at=at, reason="")
    changed = User.objects.filter(pk=user_id).update(password=make_password(None))
    if changed:
        _audit(actor, "user", user_id)
    return bool(changed)


def set_privacy_again(*, actor: Actor, device_id: UUID, is_private: bool) -> bool:
    """Says once more whether this phone is private."""
    changed = Device.objects.filter(pk=device_id).exclude(is_private=is_private)
    if not changed.update(is_private=is_private):
        return False
    _audit(actor, "device", device_id)
    return True


def leave_care_team_again(
    *, actor: Actor, patient_id: UUID, clinician_id: UUID, at: datetime
) -> bool:
    """Ends a tie on the day on which it ended."""
    ended = CareTeamMember.objects.filter(
        patient_id=patient_id,
        clinician_id=clinician_id,
        ended_on__isnull=True,
        started_on__lte=at.date(),
    ).update(ended_on=at.date())
    if ended:
        _audit(actor, "clinician", clinician_id, patient_id)
    return bool(ended)


def remove_passkey_again(*, actor: Actor, passkey_id: UUID) -> bool:
    """Takes a passkey away that was removed."""
    removed, _by_model = SecondFactor.objects.filter(pk=passkey_id, kind="passkey").delete()
    if removed:
        _audit(actor, "second_factor", passkey_id)
    return bool(removed)


def _tokens(which: Q, ends: bool) -> Q:
    return which if ends else Q(pk__in=())


def _end(actor: Actor, phones: QuerySet[Device], tokens: Q, *, at: datetime, reason: str) -> bool:
    """In the order in which registering a phone locks them: phones, then tokens."""
    live = Device.objects.filter(
        pk__in=phones.values("pk"), registered_at__lte=at, unbound_at__isnull=True
    )
    ids = list(live.select_for_update().order_by("pk").values_list("pk", flat=True))
    Device.objects.filter(pk__in=ids).update(unbound_at=at, unbound_reason=reason)
    ended = AccessToken.objects.filter(tokens, created_at__lte=at, revoked_at__isnull=True)
    token_ids = list(ended.values_list("pk", flat=True))
    AccessToken.objects.filter(pk__in=token_ids).update(revoked_at=at)
    for device_id in ids:
        _audit(actor, "device", device_id)
    for token_id in token_ids:
        _audit(actor, "access_token", token_id)
    return bool(ids or token_ids)


def _end_sessions(user_id: UUID) -> bool:
    changed = User.objects.filter(pk=user_id).update(
        sign_outs_everywhere=F("sign_outs_everywhere") + 1
    )
    return bool(changed)


def _audit(actor: Actor, kind: str, object_id: UUID, patient_id: UUID | None = None) -> None:
    audit.record(
        actor=actor,
        action="journal.replay",
        patient_id=patient_id,
        object_kind=kind,
        object_id=object_id,
    )
