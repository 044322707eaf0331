"""What the page behind a support contact's link says. Nobody is signed in there.

An unknown, an ended and an expired link are one and the same. What a contact is told stands here
only while they agree and a live consent names the situation.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q

from backend.accounts import audit, rate_limits
from backend.accounts.actor import Actor
from backend.accounts.consent_scopes import TELLS_OF
from backend.aftercare.contacts import language_of, message_to, question_to, why_not_told
from backend.aftercare.models import (
    ContactAnswer,
    ContactInvitation,
    ContactMessage,
    ContactOutcome,
    Situation,
    SupportContact,
)
from backend.aftercare.selectors import consented_situations, invitation_behind
from backend.aftercare.services.inviting import LINKS_BY_ADDRESS, hash_of_link
from backend.aftercare.texts import render
from backend.row_security import acting_as_system

SHOWN_FOR = timedelta(days=3)
ACTOR = Actor.system("contact_link")


@dataclass(frozen=True, slots=True)
class Told:
    """One message as they read it; `scope` is the part of the record that it tells of, if any.

    `at` is in the zone of whoever has them told.
    """

    message_id: UUID
    situation: str
    scope: str | None
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class ContactPage:
    """`state` is `asked`, `agreed` or `declined`; `language` is the contact's own."""

    contact: SupportContact
    state: str
    language: str
    question: list[str]
    told: list[Told]


def open_link(*, link: str, language: str, address: str, now: datetime) -> ContactPage | None:
    """The page of a live link; None for any other. What is shown is audited.

    `language` is asked for by who reads, or empty. Raises `RateLimited` by network address.
    """
    rate_limits.spend(LINKS_BY_ADDRESS, address, now=now)
    with acting_as_system("contact.link"), transaction.atomic():
        invitation = invitation_behind(hash_of_link(link), at=now)
        if invitation is None:
            return None
        page = page_of(invitation, language=language, now=now)
        _note_shown(page)
    return page


def page_of(invitation: ContactInvitation, *, language: str, now: datetime) -> ContactPage:
    """As it stands now."""
    contact = invitation.contact
    consented = consented_situations(contact, at=now)
    spoken = language or language_of(contact)
    situations = [one for one in contact.situations if one in consented]
    is_agreed = invitation.answer == ContactAnswer.YES
    told = _told(invitation, spoken, now=now) if is_agreed and invitation.patient.is_active else []
    return ContactPage(
        contact=contact,
        state="agreed" if is_agreed else "declined" if invitation.answer else "asked",
        language=spoken,
        question=question_to(invitation.shown_as, situations, language=spoken),
        told=told,
    )


def _told(invitation: ContactInvitation, language: str, *, now: datetime) -> list[Told]:
    contact = invitation.contact
    consented = consented_situations(contact, at=now)
    # Also one whose fate nobody knows: it may have arrived, and they look for what it is about.
    rows = ContactMessage.objects.filter(
        invitation=invitation, queued_at__gt=now - SHOWN_FOR, tries__gt=0
    ).exclude(Q(situation="") | Q(outcome=ContactOutcome.CANCELLED))
    return [
        Told(
            message_id=row.pk,
            situation=row.situation,
            scope=TELLS_OF[row.situation],
            at=row.queued_at.astimezone(ZoneInfo(invitation.patient.time_zone)),
            text=message_to(
                contact, Situation(row.situation), name=invitation.shown_as, language=language
            ),
        )
        for row in rows.order_by("-queued_at")
        if not why_not_told(contact, row.situation, consented=consented)
    ]


def _note_shown(page: ContactPage) -> None:
    """That they have read it, for the patient's log."""
    for one in page.told:
        audit.record(
            actor=ACTOR,
            action="support_contact.show",
            patient_id=page.contact.patient_id,
            object_kind="support_contact",
            object_id=page.contact.pk,
            facts={"situation": one.situation},
        )


def words(language: str) -> dict[str, str]:
    """The fixed words of the page, by the last part of their ids."""
    names = (
        "how", "no_duty", "free", "yes", "no", "stop", "agreed", "declined", "stopped",
        "nothing_now", "gone", "too_often", "heading", "messages",
    )  # fmt: skip
    return {name: render(f"invitation.{name}", language=language) for name in names}
