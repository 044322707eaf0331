"""Reads of the audit log, of disclosures and of emergency access."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from uuid import UUID

from django.db.models import Count, Max, Min, Q, QuerySet

from backend.accounts.access import ORGANISATION_WIDE
from backend.accounts.actor import Role
from backend.accounts.models import (
    Administrator,
    AuditEvent,
    CareTeamMember,
    Clinician,
    EmergencyAccess,
    Organisation,
    Patient,
)
from backend.privacy.disclosure_models import Disclosure
from backend.privacy.models import Erasure, LegalHold, MassRead
from backend.privacy.plain_words import reads

STAFF = (Role.CLINICIAN.value, Role.ADMINISTRATOR.value)
CASELOAD_READ, LIST_READ = "caseload.read", "patients.read"


@dataclass(frozen=True, slots=True)
class Reads:
    """How many patients' records one person opened in a stretch of time."""

    reader_id: UUID
    role: str
    patients: int
    first_read_at: datetime
    last_read_at: datetime


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` on and before `until`; None is open."""

    since: datetime | None = None
    until: datetime | None = None


def audit_page(
    patient: Patient,
    *,
    span: Span,
    size: int,
    before: tuple[datetime, int] | None,
    staff_only: bool,
) -> list[AuditEvent]:
    """Up to `size` + 1 acts on this patient's data, the newest first.

    A list of patients names whom it showed. Lists were audited without names once: whoever could
    see this patient on one of those is taken to have seen them. What the person themselves was
    shown stays out, or each look of their own phone would bury what others did.
    """
    rows = AuditEvent.objects.filter(Q(patient_id=patient.pk) | _lists_with(patient))
    if span.since:
        rows = rows.filter(at__gte=span.since)
    if span.until:
        rows = rows.filter(at__lt=span.until)
    if staff_only:
        rows = rows.exclude(actor_role__in=[Role.PATIENT.value, Role.SYSTEM.value])
    elif patient.user_id:
        rows = rows.exclude(actor_id=patient.user_id, action__endswith=".read")
    if before:
        at, last_id = before
        rows = rows.filter(Q(at__lt=at) | Q(at=at, pk__lt=last_id))
    return list(rows.order_by("-at", "-pk")[: size + 1])


def _lists_with(patient: Patient) -> Q:
    organisation_id = patient.organisation_id
    administrators = Administrator.objects.filter(organisation_id=organisation_id)
    found = Q(action=LIST_READ, actor_id__in=administrators.values("user_id"))
    supervising = Clinician.objects.filter(
        organisation_id=organisation_id, roles__overlap=list(ORGANISATION_WIDE)
    )
    on_caseload = Q(actor_id__in=supervising.values("user_id"))
    ties = CareTeamMember.objects.filter(patient=patient)
    for user_id, started_on, ended_on in ties.values_list(
        "clinician__user_id", "started_on", "ended_on"
    ):
        on_caseload |= Q(actor_id=user_id) & _days(started_on, ended_on)
    if patient.discharged_at:
        on_caseload &= Q(at__lt=patient.discharged_at)
    found |= (
        Q(action=CASELOAD_READ)
        & on_caseload
        & (Q(facts__refresh=False) | Q(facts__refresh__isnull=True))
    )
    named = Q(facts__patients__contains=[str(patient.pk)])
    found &= Q(facts__patients__isnull=True)
    return Q(patient_id__isnull=True, at__gte=patient.created_at) & (named | found)


def _days(started_on: date, ended_on: date | None) -> Q:
    held = Q(at__gte=datetime.combine(started_on, time(), UTC))
    return held & Q(at__lt=datetime.combine(ended_on, time(), UTC)) if ended_on else held


def names_of_staff(organisation_id: UUID, user_ids: Collection[UUID]) -> Mapping[UUID, str]:
    """The names of those of these accounts that are clinicians of this organisation."""
    rows = Clinician.objects.filter(organisation_id=organisation_id, user_id__in=user_ids)
    return dict(rows.values_list("user_id", "display_name"))


def addresses_of_administrators(
    organisation_id: UUID, user_ids: Collection[UUID]
) -> Mapping[UUID, str]:
    """The addresses of those of these accounts that administer this organisation."""
    rows = Administrator.objects.filter(organisation_id=organisation_id, user_id__in=user_ids)
    return dict(rows.values_list("user_id", "user__email"))


def reads_by_person(*, since: datetime, until: datetime, more_than: int) -> list[Reads]:
    """Staff who opened more than that many patients' records after `since` and up to `until`."""
    rows = (
        AuditEvent.objects.filter(
            Q(action__in=reads()) | Q(action__endswith=".read") | Q(action__endswith=".search"),
            at__gt=since,
            at__lte=until,
            actor_role__in=STAFF,
            actor_id__isnull=False,
            patient_id__isnull=False,
            was_allowed=True,
        )
        .values("actor_id", "actor_role")
        .annotate(
            patients=Count("patient_id", distinct=True), first_at=Min("at"), last_at=Max("at")
        )
        .filter(patients__gt=more_than)
        .order_by("actor_id")
    )
    return [
        Reads(reader_id, row["actor_role"], row["patients"], row["first_at"], row["last_at"])
        for row in rows
        if (reader_id := row["actor_id"]) is not None
    ]


def organisations_of(user_ids: Collection[UUID]) -> Mapping[UUID, UUID]:
    """Where each of these members of staff works."""
    clinicians = Clinician.objects.filter(user_id__in=user_ids)
    administrators = Administrator.objects.filter(user_id__in=user_ids)
    return {
        **dict(clinicians.values_list("user_id", "organisation_id")),
        **dict(administrators.values_list("user_id", "organisation_id")),
    }


def mass_reads_page(
    organisation: Organisation, *, size: int, before: tuple[datetime, UUID] | None
) -> list[MassRead]:
    """Up to `size` + 1 of the organisation's, the newest first."""
    rows = MassRead.objects.filter(organisation=organisation).select_related("reader__clinician")
    if before:
        at, last_id = before
        rows = rows.filter(Q(found_at__lt=at) | Q(found_at=at, pk__lt=last_id))
    return list(rows.order_by("-found_at", "-pk")[: size + 1])


def find_disclosure(disclosure_id: UUID) -> Disclosure | None:
    """By the app's id, whoever's it is. Only for deciding about a replay."""
    return Disclosure.objects.filter(pk=disclosure_id).first()


def disclosures_page(
    patient_id: UUID, *, size: int, before: tuple[datetime, UUID] | None
) -> list[Disclosure]:
    """Up to `size` + 1 of what was shown of this patient, the newest first."""
    rows = Disclosure.objects.filter(patient_id=patient_id)
    if before:
        at, last_id = before
        rows = rows.filter(Q(disclosed_at__lt=at) | Q(disclosed_at=at, pk__lt=last_id))
    return list(rows.order_by("-disclosed_at", "-pk")[: size + 1])


def find_emergency_access(emergency_access_id: UUID) -> EmergencyAccess | None:
    """By the app's id, whoever's it is. Only for deciding about a replay."""
    return _accesses().filter(pk=emergency_access_id).first()


def emergency_accesses_of(organisation: Organisation) -> QuerySet[EmergencyAccess]:
    """All that clinicians of this organisation opened, with their reviews."""
    return _accesses().filter(patient__organisation=organisation)


def emergency_accesses_page(
    organisation: Organisation, *, size: int, before: tuple[datetime, UUID] | None
) -> list[EmergencyAccess]:
    """Up to `size` + 1 of the organisation's, the newest first."""
    rows = emergency_accesses_of(organisation)
    if before:
        at, last_id = before
        rows = rows.filter(Q(opened_at__lt=at) | Q(opened_at=at, pk__lt=last_id))
    return list(rows.order_by("-opened_at", "-pk")[: size + 1])


def _accesses() -> QuerySet[EmergencyAccess]:
    return EmergencyAccess.objects.select_related("clinician", "patient", "review")


def reviewers_of(organisation: Organisation) -> list[Administrator]:
    """The privacy officers; where none is named, every administrator, so that somebody is told."""
    everyone = Administrator.objects.filter(
        organisation=organisation, user__is_active=True
    ).order_by("pk")
    return list(everyone.filter(is_privacy_officer=True)) or list(everyone)


def open_erasure(patient_id: UUID) -> Erasure | None:
    """The wish of this patient that is neither taken back nor done."""
    return Erasure.objects.filter(
        patient_id=patient_id, cancelled_at__isnull=True, done_at__isnull=True
    ).first()


def standing_hold(patient_id: UUID) -> LegalHold | None:
    """The legal hold that keeps this patient's data from being erased now."""
    return LegalHold.objects.filter(patient_id=patient_id, lifted_at__isnull=True).first()
