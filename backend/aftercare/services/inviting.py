"""A patient asks a support contact whether they agree, and a contact answers by their own link.

Each is one transaction under the patient's lock. Nothing here waits for anything to be sent, and
nothing that ends is ever announced.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from backend import errors
from backend.accounts import audit, rate_limits
from backend.accounts.access import access_own_patient, hold_patient
from backend.accounts.actor import Actor
from backend.aftercare.contacts import why_not_told
from backend.aftercare.models import (
    ContactAnswer,
    ContactInvitation,
    ContactMessage,
    ContactOutcome,
    Situation,
    SupportContact,
)
from backend.aftercare.selectors import (
    consented_situations,
    find_live_invitation,
    find_own_contact,
    invitation_behind,
)
from backend.notifications.selectors import working_channels
from backend.notifications.services import checked_address
from backend.queue import Job, enqueue_on_commit
from backend.row_security import acting_as_system
from backend.tracking.models import NextSync

INVITATIONS_OF_CONTACT = rate_limits.Limit("contact_invitations", 3, timedelta(days=30))
INVITATIONS_BY_PATIENT = rate_limits.Limit("invitations", 10, timedelta(days=1))
CALLS_TO_CONTACT = rate_limits.Limit("contact_calls", 4, timedelta(hours=1))
LINKS_BY_ADDRESS = rate_limits.Limit("contact_links", 60, timedelta(minutes=15))
MESSAGE_LIFE = timedelta(hours=12)
ACTOR = Actor.system("contact_link")


@dataclass(frozen=True, slots=True)
class Wanted:
    """By which way, and how the patient is called on the page; empty: not at all."""

    channel: str
    shown_as: str


def invite_contact(
    *, actor: Actor, contact_id: UUID, wanted: Wanted, now: datetime
) -> ContactInvitation:
    """Asks them once. The same while it is unanswered changes nothing; others take its place.

    Raises `NotFound`; `Invalid` without an address for that way; `Conflict` where they have agreed
    already, where no live consent names a situation that was chosen for them, or where nothing can
    be sent that way; `RateLimited` by patient and by contact.
    """
    with transaction.atomic():
        contact = find_own_contact(access_own_patient(actor).pk, contact_id)
        standing = find_live_invitation(contact.pk)
        if standing is not None and _is_same(standing, wanted, now=now):
            return standing
    _refuse(contact, wanted, standing, now=now)
    rate_limits.spend(INVITATIONS_BY_PATIENT, str(contact.patient_id), now=now)
    rate_limits.spend(INVITATIONS_OF_CONTACT, str(contact.pk), now=now)
    with transaction.atomic():
        patient = access_own_patient(actor, lock=True)
        contact = find_own_contact(patient.pk, contact_id)
        standing = find_live_invitation(contact.pk)
        if standing is not None and _is_same(standing, wanted, now=now):
            return standing  # the same request at the same moment
        end_invitations(contact, now=now)
        link = secrets.token_urlsafe(24)
        invitation = ContactInvitation.objects.create(
            patient=patient,
            contact=contact,
            channel=wanted.channel,
            shown_as=wanted.shown_as,
            link=link,
            link_hash=hash_of_link(link),
            invited_at=now,
            expires_at=now + ContactInvitation.LIFE,
        )
        _queue(
            invitation, "", key=f"invitation:{invitation.pk}", life=ContactInvitation.LIFE, now=now
        )
        _audit(actor, invitation, "support_contact.invite")
    return invitation


def _is_same(standing: ContactInvitation, wanted: Wanted, *, now: datetime) -> bool:
    is_open = standing.answer == "" and standing.expires_at > now
    return is_open and (standing.channel, standing.shown_as) == (wanted.channel, wanted.shown_as)


def _refuse(
    contact: SupportContact, wanted: Wanted, standing: ContactInvitation | None, *, now: datetime
) -> None:
    if standing is not None and standing.answer == ContactAnswer.YES:
        raise errors.Conflict("contact_agreed", _("This person has said yes already."))
    if not consented_situations(contact, at=now) & set(contact.situations):
        raise errors.Conflict(
            "no_consent", _("Choose first, and sign, in which situations this person may be told.")
        )
    address_of(contact, wanted.channel)
    if not settings.PUBLIC_URL or wanted.channel not in working_channels(now=now):
        raise errors.Conflict(
            "channel_unavailable", _("Messages cannot be sent that way from here.")
        )


def address_of(contact: SupportContact, channel: str) -> str:
    """In the form that a sender takes. Raises `Invalid`."""
    written = contact.phone if channel == "sms" else contact.email
    try:
        return checked_address(channel, written)
    except errors.Invalid as error:
        found = error.problems[0]
        raise errors.invalid_field("/channel", found.code, found.detail) from None


@transaction.atomic
def withdraw_invitation(*, actor: Actor, contact_id: UUID, now: datetime) -> None:
    """Takes the question back, and with it their yes. They are not told. Again changes nothing."""
    patient = access_own_patient(actor, lock=True)
    contact = find_own_contact(patient.pk, contact_id)
    standing = find_live_invitation(contact.pk)
    if standing is None:
        return
    end_invitations(contact, now=now)
    _note_yes(contact.pk, None)
    _audit(actor, standing, "support_contact.take_back")


def call_contact(*, actor: Actor, contact_id: UUID, call_id: UUID, now: datetime) -> ContactMessage:
    """Has them told that the patient asks for them; once per id.

    Raises `NotFound`, `RateLimited` by contact, and `Conflict` saying why they are not told.
    """
    with transaction.atomic():
        contact = find_own_contact(access_own_patient(actor).pk, contact_id)
    rate_limits.spend(CALLS_TO_CONTACT, str(contact.pk), now=now)
    with transaction.atomic():
        patient = access_own_patient(actor, lock=True)
        contact = find_own_contact(patient.pk, contact_id)
        situation = Situation.ASKED.value
        why_not = why_not_told(contact, situation, consented=consented_situations(contact, at=now))
        invitation = find_live_invitation(contact.pk)
        if why_not or invitation is None:
            raise errors.Conflict(
                "contact_not_told",
                _("This person is not told yet."),
                extra={"why_not": why_not or "not_agreed"},
            )
        key = f"asked:{contact.pk}:{call_id}"
        known = ContactMessage.objects.filter(key=key).first()
        if known is not None:
            return known
        message = _queue(invitation, situation, key=key, life=MESSAGE_LIFE, now=now)
        _audit(actor, invitation, "support_contact.call")
    return message


def _note_yes(contact_id: UUID, opted_in_at: datetime | None) -> None:
    """Their yes, or that it stands no more, for the patient's phones to hear of by their next sync.

    The revision stays: it counts what the patient changes, and a change that a phone has waiting
    must not be refused because somebody said yes meanwhile.
    """
    rows = SupportContact.objects.filter(pk=contact_id)
    rows.update(opted_in_at=opted_in_at, sync_seq=NextSync())


def end_invitations(contact: SupportContact, *, now: datetime) -> None:
    """Its link leads nowhere any more, and nothing that is queued leaves. In a transaction."""
    ContactInvitation.objects.filter(contact=contact, ended_at=None).update(ended_at=now)
    waiting = ContactMessage.objects.filter(invitation__contact=contact, settled_at=None)
    waiting.update(settled_at=now, outcome=ContactOutcome.CANCELLED)


def _queue(
    invitation: ContactInvitation, situation: str, *, key: str, life: timedelta, now: datetime
) -> ContactMessage:
    message = ContactMessage.objects.create(
        key=key,
        patient_id=invitation.patient_id,
        invitation=invitation,
        situation=situation,
        queued_at=now,
        due_at=now,
        expires_at=now + life,
    )
    enqueue_on_commit(Job.TELL_CONTACTS)
    return message


# By the link --------------------------------------------------------------------------------------


def hash_of_link(link: str) -> bytes:
    """SHA-256; a link has too many random bits for anything slower to be of use."""
    return hashlib.sha256(link.encode()).digest()


def answer_link(*, link: str, answer: str, address: str, now: datetime) -> ContactInvitation | None:
    """Stores yes, no, or the end of a yes; again, it changes nothing. None for no live link.

    Nobody is signed in: whoever has the link answers. Raises `RateLimited` by network address.
    """
    rate_limits.spend(LINKS_BY_ADDRESS, address, now=now)
    with acting_as_system("contact.answer"), transaction.atomic():
        found = invitation_behind(hash_of_link(link), at=now)
        if found is None:
            return None
        hold_patient(found.patient_id)
        invitation = invitation_behind(hash_of_link(link), at=now)
        if invitation is None or invitation.answer == answer:
            return invitation
        if answer == ContactAnswer.WITHDRAWN and invitation.answer != ContactAnswer.YES:
            return invitation
        if answer == ContactAnswer.NO and invitation.answer == ContactAnswer.YES:
            return invitation
        invitation.answer, invitation.answered_at = answer, now
        _note_yes(invitation.contact_id, now if answer == ContactAnswer.YES else None)
        if answer == ContactAnswer.WITHDRAWN:
            invitation.ended_at = now
            waiting = ContactMessage.objects.filter(invitation=invitation, settled_at=None)
            waiting.update(settled_at=now, outcome=ContactOutcome.CANCELLED)
        invitation.save(update_fields=["answer", "answered_at", "ended_at"])
        _audit(ACTOR, invitation, f"support_contact.{answer}")
    return invitation


def _audit(actor: Actor, invitation: ContactInvitation, action: str) -> None:
    audit.record(
        actor=actor,
        action=action,
        patient_id=invitation.patient_id,
        object_kind="support_contact",
        object_id=invitation.contact_id,
        facts={"channel": invitation.channel},
    )


def stop_telling_again(*, actor: Actor, contact_id: UUID, at: datetime) -> bool:
    """After a restore: a contact who withdrew, or whom the patient removed, is told nothing more.

    In the caller's transaction; whether it changed anything. The patient asks anew if they want to.
    """
    contact = SupportContact.objects.filter(pk=contact_id).first()
    standing = find_live_invitation(contact_id)
    if contact is None or (standing is None and contact.opted_in_at is None):
        return False
    end_invitations(contact, now=at)
    _note_yes(contact_id, None)
    audit.record(
        actor=actor,
        action="support_contact.withdrawn",
        patient_id=contact.patient_id,
        object_kind="support_contact",
        object_id=contact.pk,
    )
    return True
