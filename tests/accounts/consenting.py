"""Consents as a patient's app sends them, and as rows for tests that need many."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.utils import timezone

from backend.accounts.actor import Actor
from backend.accounts.consent_scopes import ConsentScope
from backend.accounts.consent_texts import current_texts
from backend.accounts.models import Consent, Patient
from backend.accounts.recipients import Recipient
from backend.accounts.services import ConsentDraft, sign_consent
from tests.people import actor_for

TEXT = current_texts()[0]
AUNT = Recipient("person", "Rosa Marin", "my aunt")
SHELTER = Recipient("organisation", "Harbour Housing")

SITUATIONS = ("asked", "strong_craving", "use_reported", "not_safe", "silence")


def far_day() -> date:
    return timezone.now().date() + timedelta(days=90)


def consent_body(**items: Any) -> dict[str, Any]:
    """For an aunt to see check-ins; `items` are added and may override."""
    return {
        "id": str(uuid4()),
        "recipient": {"kind": "person", "name": AUNT.name, "affiliation": AUNT.affiliation},
        "scopes": ["check_ins"],
        "purpose": "support",
        "expires_on": far_day().isoformat(),
        "text_version": TEXT.version,
        "text_language": TEXT.language,
        "text_sha256": TEXT.sha256,
        "signature_name": "Alice Doe",
        "signature_method": "typed_in_app",
        **items,
    }


def sign(
    patient: Patient,
    *,
    recipient: Recipient = AUNT,
    scopes: tuple[ConsentScope, ...] = (ConsentScope.CHECK_INS,),
    purpose: str = "support",
    expires_on: date | None = None,
    expires_event: str = "",
    consent_id: UUID | None = None,
    now: datetime | None = None,
    situations: tuple[str, ...] | None = None,
) -> Consent:
    """Signed by the patient, through the service; ends in 90 days unless told.

    One for a support contact names every situation unless told.
    """
    every = SITUATIONS if recipient.contact_id else ()
    named = every if situations is None else situations
    draft = ConsentDraft(
        id=consent_id or uuid4(),
        recipient=recipient,
        scopes=scopes,
        purpose=purpose,
        expires_on=None if expires_event else expires_on or far_day(),
        expires_event=expires_event,
        text_version=TEXT.version,
        text_language=TEXT.language,
        text_sha256=TEXT.naming(named).sha256,
        signature_name="Alice Doe",
        signature_method="typed_in_app",
        situations=named,
    )
    consent, is_new = sign_consent(actor=own(patient), draft=draft, now=now or timezone.now())
    assert is_new
    return consent


def own(patient: Patient) -> Actor:
    assert patient.user is not None
    return actor_for(patient.user)
