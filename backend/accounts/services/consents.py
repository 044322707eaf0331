"""A patient signs a consent, or takes one back. Rows are added and never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from backend import errors
from backend.accounts import audit, selectors
from backend.accounts.access import access_own_patient, access_patient, not_found
from backend.accounts.actor import Actor
from backend.accounts.consent_scopes import TELLS_OF, ConsentScope, registered
from backend.accounts.consent_texts import current_texts
from backend.accounts.models import Consent, ConsentRevocation, Patient, RecipientKind
from backend.accounts.recipients import Recipient


@dataclass(frozen=True, slots=True)
class ConsentDraft:
    """What the patient's app sends to be signed; the words that it showed by their digest."""

    id: UUID
    recipient: Recipient
    scopes: Sequence[ConsentScope]
    purpose: str
    expires_on: date | None
    expires_event: str
    text_version: int
    text_language: str
    text_sha256: str
    signature_name: str
    signature_method: str
    situations: Sequence[str] = ()

    def columns(self) -> dict[str, Any]:
        """As a row holds them."""
        return {
            "recipient_kind": self.recipient.kind,
            "recipient_name": self.recipient.name,
            "recipient_affiliation": self.recipient.affiliation,
            "contact_id": self.recipient.contact_id,
            "recipient_key": self.recipient.key,
            "scopes": sorted({scope.value for scope in self.scopes}),
            "situations": sorted(set(self.situations)),
            "purpose": self.purpose,
            "expires_on": self.expires_on,
            "expires_event": self.expires_event,
            "text_version": self.text_version,
            "text_language": self.text_language,
            "text_sha256": self.text_sha256,
            "signature_name": self.signature_name,
            "signature_method": self.signature_method,
        }


@transaction.atomic
def sign_consent(*, actor: Actor, draft: ConsentDraft, now: datetime) -> tuple[Consent, bool]:
    """Stores what the patient signed, once per id; whether it is new comes second.

    Raises `Invalid`, and `Conflict` where the words to sign are others by now, or where the id
    stands with other content (with the stored copy) or with another person (without).
    """
    patient = access_own_patient(actor, lock=True)
    known = selectors.find_consent(draft.id)
    if known is not None:
        return _same(known, draft, patient), False
    _refuse_what_cannot_be_signed(draft, patient, now=now)
    organisation = patient.organisation
    consent = Consent(
        id=draft.id,
        patient=patient,
        discloser=organisation,
        discloser_name=organisation.name,
        signed_at=now,
        **draft.columns(),
    )
    try:
        with transaction.atomic():
            consent.save(force_insert=True)
    except IntegrityError:  # taken a moment ago, by another patient: this one's lock says nothing
        raise _id_in_use() from None
    _audit(actor, consent, "consent.sign", {"scopes": consent.scopes, "purpose": consent.purpose})
    return selectors.consents_of(patient.pk, at=now).get(pk=consent.pk), True


def _same(known: Consent, draft: ConsentDraft, patient: Patient) -> Consent:
    if known.patient_id != patient.pk:
        raise _id_in_use()
    if any(getattr(known, name) != value for name, value in draft.columns().items()):
        raise errors.Conflict(
            "id_conflict",
            _("This id is stored with other content. Nothing was overwritten."),
            extra={"stored": known},
        )
    return known


def _id_in_use() -> errors.Conflict:
    return errors.Conflict("id_in_use", _("This id belongs to something else."))


def _refuse_what_cannot_be_signed(draft: ConsentDraft, patient: Patient, *, now: datetime) -> None:
    is_contact = draft.recipient.kind == RecipientKind.SUPPORT_CONTACT
    if is_contact != (draft.recipient.contact_id is not None):
        raise errors.invalid_field(
            "/recipient/contact_id",
            "contact_mismatch",
            _("A support contact is named by its id, and nobody else is."),
        )
    if draft.situations and not is_contact:
        raise errors.invalid_field(
            "/situations",
            "contact_mismatch",
            _("A support contact is named by its id, and nobody else is."),
        )
    if not set(draft.scopes) <= registered().keys():
        raise errors.invalid_field("/scopes", "unknown_scope", _("This cannot be shown."))
    if not {TELLS_OF[one] for one in draft.situations} - {None} <= set(draft.scopes):
        raise errors.invalid_field(
            "/scopes",
            "situation_needs_scope",
            _("To be told then, they have to be allowed to see the check-ins that say so."),
        )
    _refuse_ending(draft, patient, now=now)
    signed = (draft.text_version, draft.text_language, draft.text_sha256)
    texts = [text.naming(draft.situations) for text in current_texts()]
    if signed not in {(text.version, text.language, text.sha256) for text in texts}:
        raise errors.Conflict(
            "consent_text_changed",
            _("The words to sign have changed. Please read them again before you sign."),
        )


def _refuse_ending(draft: ConsentDraft, patient: Patient, *, now: datetime) -> None:
    if (draft.expires_on is None) == (not draft.expires_event):
        raise errors.invalid_field(
            "/expires_on",
            "one_ending",
            _("Say on which day this ends, or with which event: one of the two."),
        )
    today = now.astimezone(ZoneInfo(patient.time_zone)).date()
    if draft.expires_on is not None and draft.expires_on < today:
        raise errors.invalid_field("/expires_on", "in_the_past", _("This day is over already."))
    if draft.expires_event and not patient.is_active:
        raise errors.invalid_field("/expires_event", "in_the_past", _("This is over already."))


@transaction.atomic
def revoke_consent(*, actor: Actor, consent_id: UUID, now: datetime) -> Consent:
    """Ends it from the next request on; again, it changes nothing. Raises `NotFound`."""
    patient = access_own_patient(actor, lock=True)
    own = selectors.consents_of(patient.pk, at=now)
    consent = own.filter(pk=consent_id).first()
    if consent is None:
        raise not_found()
    if getattr(consent, "revocation", None) is not None:
        return consent
    ConsentRevocation.objects.create(consent=consent, revoked_at=now)
    _audit(actor, consent, "consent.revoke", {})
    return own.get(pk=consent_id)


def revoke_again(*, actor: Actor, consent_id: UUID, at: datetime) -> bool:
    """A revocation that a restored database has forgotten, in the caller's transaction.

    Whether that changed anything; nothing where the consent itself is not there either.
    """
    consent = selectors.find_consent(consent_id)
    if consent is None or getattr(consent, "revocation", None) is not None:
        return False
    ConsentRevocation.objects.create(consent=consent, revoked_at=at)
    _audit(actor, consent, "consent.revoke", {})
    return True


@transaction.atomic
def read_consents(
    *,
    actor: Actor,
    patient_id: UUID,
    size: int,
    before: tuple[datetime, UUID] | None,
    now: datetime,
) -> list[Consent]:
    """Up to `size` + 1 of a patient's, the newest first. Raises `NotFound`."""
    patient = access_patient(actor, patient_id, reading=True)
    audit.record(actor=actor, action="consents.read", patient_id=patient.pk)
    return selectors.consents_page(patient.pk, at=now, size=size, before=before)


def _audit(actor: Actor, consent: Consent, action: str, facts: dict[str, Any]) -> None:
    audit.record(
        actor=actor,
        action=action,
        patient_id=consent.patient_id,
        object_kind="consent",
        object_id=consent.pk,
        facts=facts,
    )
