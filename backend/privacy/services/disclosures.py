"""Showing a part of a record to somebody outside the care team, and the row that says so.

What is read is handed out once, with the first answer. The row holds scopes and counts alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from backend import errors
from backend.accounts import audit
from backend.accounts.access import (
    access_clinician,
    access_own_patient,
    access_patient,
    access_under_consent,
    not_found,
)
from backend.accounts.actor import Actor
from backend.accounts.consent_scopes import Asked, ConsentScope, Shown, registered
from backend.accounts.consent_texts import notice
from backend.accounts.models import Consent, Patient, Purpose, RecipientKind
from backend.accounts.recipients import Recipient
from backend.accounts.selectors import consents_of
from backend.privacy.disclosure_models import Basis, Disclosure
from backend.privacy.selectors import disclosures_page, find_disclosure

DAYS = 30
MOST_DAYS = 366
NOTICE_LANGUAGE = "en"  # 42 CFR 2.32 gives the words
Position = tuple[datetime, UUID]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a clinician wants to show: the same again is one disclosure. Days where the patient is.

    `first` and `last` are both included; without them, the last `DAYS` days up to today.
    """

    id: UUID
    scopes: Sequence[ConsentScope]
    first: date | None
    last: date | None
    language: str


@dataclass(frozen=True, slots=True)
class Disclosed:
    """The row; what was shown, in the first answer alone; and the consent that it was under."""

    row: Disclosure
    is_new: bool
    shown: Mapping[str, Shown] = field(repr=False)
    consent: Consent | None


@transaction.atomic
def disclose(
    *,
    actor: Actor,
    patient_id: UUID,
    consent_id: UUID,
    purpose: str,
    recipient: Recipient | None,
    wish: Wish,
    now: datetime,
) -> Disclosed:
    """Shows what a live consent covers to whom it names, for the purpose that it names.

    `recipient` says who of a class it is, and is None where the consent names them itself. Raises
    `NotFound` unless the patient is the actor's and that consent covers each of the scopes now;
    `Invalid`; and `Conflict` for an id that stands with something else.
    """
    patient = access_patient(actor, patient_id, lock=True)
    consent = consents_of(patient.pk, at=now).filter(pk=consent_id).first()
    if consent is None:
        raise not_found()
    named = Recipient(
        consent.recipient_kind,
        consent.recipient_name,
        consent.recipient_affiliation,
        consent.contact_id,
    )
    for scope in wish.scopes:
        access_under_consent(
            actor, named, patient.pk, scope=scope, purpose=purpose, at=now, consent_id=consent.pk
        )
    shown_to = _of_class(named, recipient)
    return _disclose(
        actor,
        patient,
        wish,
        {
            "basis": Basis.CONSENT.value,
            "consent_id": consent.pk,
            "recipient_kind": shown_to.kind,
            "recipient_name": shown_to.name,
            "recipient_affiliation": shown_to.affiliation,
            "purpose": purpose,
            "nature": "",
        },
        consent,
        now=now,
    )


@transaction.atomic
def disclose_in_emergency(
    *, actor: Actor, patient_id: UUID, recipient: Recipient, nature: str, wish: Wish, now: datetime
) -> Disclosed:
    """Shows medical personnel what they need in a medical emergency, without any consent.

    42 CFR 2.51: recipient and affiliation, discloser, time and nature are the row. Raises
    `NotFound` unless the actor is on the care team, on call or supervising.
    """
    patient = access_patient(actor, patient_id, lock=True)
    return _disclose(
        actor,
        patient,
        wish,
        {
            "basis": Basis.MEDICAL_EMERGENCY.value,
            "consent_id": None,
            "recipient_kind": recipient.kind,
            "recipient_name": recipient.name,
            "recipient_affiliation": recipient.affiliation,
            "purpose": Purpose.TREATMENT.value,
            "nature": nature,
        },
        None,
        now=now,
    )


def _of_class(named: Recipient, who: Recipient | None) -> Recipient:
    is_class = named.kind == RecipientKind.RECIPIENT_CLASS
    if is_class != (who is not None):
        raise errors.invalid_field(
            "/recipient",
            "recipient_mismatch",
            _("Say who it is where the consent names a kind of recipient, and only there."),
        )
    return named if who is None else who


def _disclose(
    actor: Actor,
    patient: Patient,
    wish: Wish,
    facts: Mapping[str, Any],
    consent: Consent | None,
    *,
    now: datetime,
) -> Disclosed:
    scopes = sorted(set(wish.scopes))
    if not set(scopes) <= registered().keys():
        raise errors.invalid_field("/scopes", "unknown_scope", _("This cannot be shown."))
    first, last = _days(patient, wish, now=now)
    said = {**facts, "patient_id": patient.pk, "scopes": [scope.value for scope in scopes]}
    days = {"first_on": first, "last_on": last}
    known = find_disclosure(wish.id)
    if known is not None:
        asked = {**said, **(days if wish.first or wish.last else {})}
        return Disclosed(_same(known, asked), is_new=False, shown={}, consent=consent)
    asked_for = Asked(first=first, last=last, language=wish.language)
    shown = {scope.value: registered()[scope].gather(patient, asked_for) for scope in scopes}
    row = Disclosure(
        id=wish.id,
        counts={registered()[scope].object_kind: len(shown[scope.value]) for scope in scopes},
        disclosed_at=now,
        disclosed_by_id=actor.user_id,
        discloser_name=access_clinician(actor).display_name,
        notice=notice(NOTICE_LANGUAGE),
        **said,
        **days,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:  # taken a moment ago, for another patient: this one's lock says nothing
        raise _id_in_use() from None
    audit.record(
        actor=actor,
        action=f"disclosure.{row.basis}",
        patient_id=patient.pk,
        object_kind="disclosure",
        object_id=row.pk,
        facts={"scopes": row.scopes, "counts": row.counts},
    )
    return Disclosed(row, is_new=True, shown=shown, consent=consent)


def _days(patient: Patient, wish: Wish, *, now: datetime) -> tuple[date, date]:
    last = wish.last or now.astimezone(ZoneInfo(patient.time_zone)).date()
    first = wish.first or last - timedelta(days=min(DAYS - 1, (last - date.min).days))
    if first > last or (last - first).days >= MOST_DAYS:
        raise errors.invalid_field(
            "/first_on", "too_many_days", _("A disclosure is about one year at the most.")
        )
    return first, last


def _same(known: Disclosure, said: Mapping[str, Any]) -> Disclosure:
    if known.patient_id != said["patient_id"]:
        raise _id_in_use()
    if any(getattr(known, name) != value for name, value in said.items()):
        raise errors.Conflict(
            "id_conflict",
            _("This id is stored with other content. Nothing was overwritten."),
            extra={"stored": known},
        )
    return known


def _id_in_use() -> errors.Conflict:
    return errors.Conflict("id_in_use", _("This id belongs to something else."))


@transaction.atomic
def read_own_disclosures(*, actor: Actor, size: int, before: Position | None) -> list[Disclosure]:
    """Up to `size` + 1 of one's own, the newest first. Raises `Forbidden`."""
    patient = access_own_patient(actor)
    audit.record(actor=actor, action="disclosures.read", patient_id=patient.pk)
    return disclosures_page(patient.pk, size=size, before=before)


@transaction.atomic
def read_disclosures(
    *, actor: Actor, patient_id: UUID, size: int, before: Position | None
) -> list[Disclosure]:
    """Up to `size` + 1 of a patient's, the newest first. Raises `NotFound`."""
    patient = access_patient(actor, patient_id, reading=True)
    audit.record(actor=actor, action="disclosures.read", patient_id=patient.pk)
    return disclosures_page(patient.pk, size=size, before=before)
