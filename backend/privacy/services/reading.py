"""Who saw a patient, for the organisation's administrators and for the patient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from backend.accounts import audit
from backend.accounts.access import Scope, access_own_patient, access_patient
from backend.accounts.actor import Actor
from backend.accounts.models import AuditEvent, Patient
from backend.privacy.selectors import (
    Span,
    addresses_of_administrators,
    audit_page,
    names_of_staff,
)
from backend.row_security import acting_as_system

Position = tuple[datetime, int]


@dataclass(frozen=True, slots=True)
class Days:
    """Both included, where the patient is unless told otherwise; None is open."""

    first: date | None = None
    last: date | None = None

    def span(self, zone: str) -> Span:
        """The moments between. The last day of the calendar has no day after it: open."""
        is_open = self.last is None or self.last == date.max
        after = None if is_open or self.last is None else self.last + timedelta(days=1)
        return Span(since=_midnight(self.first, zone), until=_midnight(after, zone))


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """Acts on one patient's data, the newest first, with the names of the staff who did them."""

    patient: Patient
    rows: list[AuditEvent]
    clinicians: Mapping[UUID, str]
    administrators: Mapping[UUID, str]


def _midnight(day: date | None, zone: str) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), ZoneInfo(zone))


@transaction.atomic
def read_patient_audit(
    *,
    actor: Actor,
    patient_id: UUID,
    days: Days,
    size: int,
    before: Position | None,
    zone: str = "",
) -> AuditRecord:
    """What staff did, and who was refused; nothing of what the patient or a rule recorded.

    The days are those of `zone`, or where that is empty of the patient's. Raises `NotFound` for
    whoever may not see this patient as an administrator does.
    """
    patient = access_patient(actor, patient_id, scope=Scope.ADMINISTRATIVE)
    span = days.span(zone or patient.time_zone)
    return _record(actor, patient, span, size=size, before=before, staff_only=True)


@transaction.atomic
def read_own_audit(*, actor: Actor, days: Days, size: int, before: Position | None) -> AuditRecord:
    """Everything on one's own data, one's own acts and the system's included.

    Raises `Forbidden` for whoever is no patient.
    """
    patient = access_own_patient(actor)
    span = days.span(patient.time_zone)
    return _record(actor, patient, span, size=size, before=before, staff_only=False)


def _record(
    actor: Actor,
    patient: Patient,
    span: Span,
    *,
    size: int,
    before: Position | None,
    staff_only: bool,
) -> AuditRecord:
    # Other people's acts are shown to nobody but through the selection that is made here.
    with acting_as_system("audit.read"):
        rows = audit_page(patient, span=span, size=size, before=before, staff_only=staff_only)
    audit.record(actor=actor, action="audit.read", patient_id=patient.pk)
    ids = {row.actor_id for row in rows if row.actor_id}
    return AuditRecord(
        patient=patient,
        rows=rows,
        clinicians=names_of_staff(patient.organisation_id, ids),
        administrators=addresses_of_administrators(patient.organisation_id, ids),
    )
