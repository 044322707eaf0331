"""What doing each act of the journal again means. A new act that must outlive a restore joins here.

Importing this registers them; `backend.privacy.apps` does so at the start.
"""

from __future__ import annotations

from uuid import UUID

from backend.accounts.actor import Actor
from backend.accounts.services import consents, replaying
from backend.aftercare.services import inviting, monitoring
from backend.notifications.services import retire_contact_point_again
from backend.privacy import journal
from backend.privacy.journal import Entry
from backend.privacy.services import erasing_again


def _unbound(entry: Entry, actor: Actor) -> bool:
    """Registered elsewhere: the phone's tokens ended only where another account took it over."""
    return replaying.unbind_again(
        actor=actor,
        device_id=UUID(entry.object_id),
        at=entry.at,
        reason="registered_elsewhere",
        ends_tokens=bool(entry.facts.get("handed_over", True)),
    )


def _retired(entry: Entry, actor: Actor) -> bool:
    return replaying.unbind_again(
        actor=actor,
        device_id=UUID(entry.object_id),
        at=entry.at,
        reason="target_gone",
        ends_tokens=False,
    )


def _revoked(entry: Entry, actor: Actor) -> bool:
    assert entry.actor_id is not None
    return replaying.unbind_installation_again(
        actor=actor,
        user_id=entry.actor_id,
        installation_id=UUID(entry.object_id),
        at=entry.at,
    )


def _signed_out(entry: Entry, actor: Actor) -> bool:
    """A browser's session has no row of its own in the journal: a restore ends all of those."""
    if entry.object_kind != "access_token":
        return False
    device_id = entry.facts.get("device")
    return replaying.sign_out_again(
        actor=actor,
        token_id=UUID(entry.object_id),
        device_id=UUID(device_id) if device_id else None,
        at=entry.at,
    )


def _signed_out_everywhere(entry: Entry, actor: Actor) -> bool:
    return replaying.sign_out_everywhere_again(
        actor=actor, user_id=UUID(entry.object_id), at=entry.at
    )


def _password_replaced(entry: Entry, actor: Actor) -> bool:
    return replaying.forget_password_again(actor=actor, user_id=UUID(entry.object_id), at=entry.at)


def _privacy_said(entry: Entry, actor: Actor) -> bool:
    if "is_private" not in entry.facts:
        return False
    return replaying.set_privacy_again(
        actor=actor,
        device_id=UUID(entry.object_id),
        is_private=entry.facts.get("is_private") is True,
    )


def _left_care_team(entry: Entry, actor: Actor) -> bool:
    assert entry.patient_id is not None
    return replaying.leave_care_team_again(
        actor=actor,
        patient_id=entry.patient_id,
        clinician_id=UUID(entry.object_id),
        at=entry.at,
    )


def _passkey_removed(entry: Entry, actor: Actor) -> bool:
    return replaying.remove_passkey_again(actor=actor, passkey_id=UUID(entry.object_id))


def _erased(entry: Entry, actor: Actor) -> bool:
    assert entry.patient_id is not None
    return erasing_again.erase_again(
        actor=actor,
        patient_id=entry.patient_id,
        erasure_id=UUID(entry.object_id),
        at=entry.at,
    )


def _erasure_taken_back(entry: Entry, _actor: Actor) -> bool:
    return erasing_again.cancel_again(erasure_id=UUID(entry.object_id), at=entry.at)


def _held(entry: Entry, _actor: Actor) -> bool:
    assert entry.patient_id is not None
    return erasing_again.hold_again(
        hold_id=UUID(entry.object_id),
        patient_id=entry.patient_id,
        user_id=entry.actor_id,
        at=entry.at,
    )


def _hold_lifted(entry: Entry, _actor: Actor) -> bool:
    return erasing_again.lift_again(
        hold_id=UUID(entry.object_id), user_id=entry.actor_id, at=entry.at
    )


def _address_given_up(entry: Entry, actor: Actor) -> bool:
    return retire_contact_point_again(actor=actor, point_id=UUID(entry.object_id), at=entry.at)


def _consent_revoked(entry: Entry, actor: Actor) -> bool:
    return consents.revoke_again(actor=actor, consent_id=UUID(entry.object_id), at=entry.at)


def _left_monitoring(entry: Entry, actor: Actor) -> bool:
    assert entry.patient_id is not None
    return monitoring.set_monitoring_again(
        actor=actor, patient_id=entry.patient_id, left_at=entry.at
    )


def _resumed_monitoring(entry: Entry, actor: Actor) -> bool:
    assert entry.patient_id is not None
    return monitoring.set_monitoring_again(actor=actor, patient_id=entry.patient_id, left_at=None)


def _contact_stopped(entry: Entry, actor: Actor) -> bool:
    return inviting.stop_telling_again(actor=actor, contact_id=UUID(entry.object_id), at=entry.at)


journal.register("support_contact.remove", _contact_stopped)
journal.register("support_contact.take_back", _contact_stopped)
journal.register("support_contact.withdrawn", _contact_stopped)
journal.register("consent.revoke", _consent_revoked)
journal.register("monitoring.leave", _left_monitoring)
journal.register("monitoring.resume", _resumed_monitoring)
journal.register("device.unbind", _unbound, facts=frozenset({"handed_over"}))
journal.register("device.retire", _retired)
journal.register("device.revoke", _revoked)
journal.register("device.privacy", _privacy_said, facts=frozenset({"is_private"}))
journal.register("device.register", _privacy_said, facts=frozenset({"is_private"}))
journal.register("sign_out", _signed_out, facts=frozenset({"device"}))
journal.register("sign_out.everywhere", _signed_out_everywhere)
journal.register("password.set", _password_replaced)
journal.register("password.change", _password_replaced)
journal.register("passkey.remove", _passkey_removed)
journal.register("care_team.leave", _left_care_team)
journal.register("contact_point.retire", _address_given_up)
journal.register("erasure.done", _erased)
journal.register("erasure.cancel", _erasure_taken_back)
journal.register("legal_hold.set", _held)
journal.register("legal_hold.lift", _hold_lifted)
