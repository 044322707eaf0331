"""Break-glass: a clinician opens the record of a patient who is not theirs, and says why.

For an hour, to read alone, told at once and reviewed later. Who may see the patient anyway needs
none.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from backend import errors
from backend.accounts import audit
from backend.accounts.access import (
    access_administrator,
    access_clinician,
    access_colleagues_patient,
    live_emergency_accesses,
    not_found,
    visible_patients,
)
from backend.accounts.actor import Actor
from backend.accounts.models import (
    Administrator,
    Clinician,
    EmergencyAccess,
    EmergencyAccessReview,
    Patient,
)
from backend.accounts.services import step_up
from backend.notifications.models import NotificationKind, Priority
from backend.notifications.services import NotificationDraft, queue_notifications
from backend.privacy.selectors import (
    emergency_accesses_of,
    emergency_accesses_page,
    find_emergency_access,
    reviewers_of,
)

logger = structlog.get_logger(__name__)
TOLD_FOR = timedelta(days=7)
"""How long a message about an access stays worth sending."""


def open_emergency_access(
    *,
    actor: Actor,
    patient_id: UUID,
    emergency_access_id: UUID,
    reason: str,
    code: str,
    now: datetime,
) -> tuple[EmergencyAccess, bool]:
    """Lets the actor read this patient for an hour; whether it is new comes second.

    `code` is a fresh one of the actor's authenticator app, or a recovery code; the same id again
    needs none. Raises `NotFound` for patients of other organisations, `Invalid` for a wrong code,
    `RateLimited`, and `Conflict` for who may see the patient anyway.
    """
    clinician = access_clinician(actor)
    known = find_emergency_access(emergency_access_id)
    if known is not None:
        return _same(known, clinician, patient_id, reason), False
    # Outside of the transaction: a wrong code counts although everything else is rolled back.
    step_up.count_try(actor=actor, now=now)
    return _open(
        actor, clinician, patient_id, emergency_access_id, reason=reason, code=code, now=now
    )


@transaction.atomic
def _open(
    actor: Actor,
    clinician: Clinician,
    patient_id: UUID,
    emergency_access_id: UUID,
    *,
    reason: str,
    code: str,
    now: datetime,
) -> tuple[EmergencyAccess, bool]:
    patient = access_colleagues_patient(actor, patient_id)
    known = find_emergency_access(emergency_access_id)
    if known is not None:
        return _same(known, clinician, patient_id, reason), False
    if visible_patients(actor).filter(pk=patient.pk).exists():
        raise errors.Conflict(
            "emergency_access_needless", _("You may see this patient already, without this.")
        )
    theirs = live_emergency_accesses(at=now).filter(patient=patient, clinician=clinician)
    if theirs.exists():
        raise errors.Conflict(
            "emergency_access_open", _("You have opened this record already. It is still open.")
        )
    step_up.take_code(actor=actor, code=code, now=now)
    row = EmergencyAccess(
        id=emergency_access_id,
        patient=patient,
        clinician=clinician,
        reason=reason,
        opened_at=now,
        ends_at=now + EmergencyAccess.LIFE,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:  # taken a moment ago, for another patient: this one's lock says nothing
        raise _id_in_use() from None
    audit.record(
        actor=actor,
        action="emergency_access.open",
        patient_id=patient.pk,
        object_kind="emergency_access",
        object_id=row.pk,
    )
    queue_notifications(drafts=_messages(row, patient, now=now), now=now)
    logger.warning("emergency_access_opened", emergency_access_id=str(row.pk))
    return row, True


def _same(
    known: EmergencyAccess, clinician: Clinician, patient_id: UUID, reason: str
) -> EmergencyAccess:
    if (known.clinician_id, known.patient_id) != (clinician.pk, patient_id):
        raise _id_in_use()
    if known.reason != reason:
        raise errors.Conflict(
            "id_conflict", _("This id is stored with other content. Nothing was overwritten.")
        )
    return known


def _id_in_use() -> errors.Conflict:
    return errors.Conflict("id_in_use", _("This id belongs to something else."))


def _messages(row: EmergencyAccess, patient: Patient, *, now: datetime) -> list[NotificationDraft]:
    """The officers at once and at any hour; the patient once it has ended, and not at night."""
    told = [
        _draft(row, officer.user_id, "message.emergency_access_officer", due_at=now)
        for officer in reviewers_of(patient.organisation)
    ]
    if not told:
        logger.error("emergency_access_tells_nobody", emergency_access_id=str(row.pk))
    if patient.user_id is not None:
        told.append(_draft(row, patient.user_id, "message.emergency_access", due_at=row.ends_at))
    return told


def _draft(
    row: EmergencyAccess, user_id: UUID, text_id: str, *, due_at: datetime
) -> NotificationDraft:
    is_at_once = due_at == row.opened_at
    return NotificationDraft(
        key=f"emergency_access:{row.pk}:{user_id}",
        kind=NotificationKind.SUPPORT,
        subject=f"emergency_access:{row.pk}",
        recipient_id=user_id,
        patient_id=row.patient_id,
        priority=Priority.ACUTE if is_at_once else Priority.NORMAL,
        obeys_quiet_hours=not is_at_once,
        text_id=text_id,
        text_facts={},
        due_at=due_at,
        expires_at=due_at + TOLD_FOR,
    )


@transaction.atomic
def read_emergency_accesses(
    *, actor: Actor, size: int, before: tuple[datetime, UUID] | None
) -> list[EmergencyAccess]:
    """Up to `size` + 1 of the officer's organisation, the newest first. Raises `Forbidden`."""
    officer = _access_officer(actor)
    rows = emergency_accesses_page(officer.organisation, size=size, before=before)
    facts = {"count": min(len(rows), size)}
    audit.record(actor=actor, action="emergency_accesses.read", facts=facts)
    return rows


@transaction.atomic
def review_emergency_access(
    *, actor: Actor, emergency_access_id: UUID, finding: str, note: str, now: datetime
) -> EmergencyAccess:
    """Writes down what the officer found, once; the same again changes nothing.

    Raises `Forbidden`, `NotFound` for another organisation's, and `Conflict` where it was reviewed
    with another finding.
    """
    officer = _access_officer(actor)
    found = emergency_accesses_of(officer.organisation)
    row = found.filter(pk=emergency_access_id).first()
    if row is None:
        raise not_found()
    review = EmergencyAccessReview(
        emergency_access=row, reviewed_at=now, reviewed_by=officer.user, finding=finding, note=note
    )
    try:
        with transaction.atomic():
            review.save(force_insert=True)
    except IntegrityError:
        return _reviewed_so(found.get(pk=row.pk), finding, note)
    audit.record(
        actor=actor,
        action="emergency_access.review",
        patient_id=row.patient_id,
        object_kind="emergency_access",
        object_id=row.pk,
        facts={"finding": finding},
    )
    return found.get(pk=row.pk)


def _reviewed_so(row: EmergencyAccess, finding: str, note: str) -> EmergencyAccess:
    if (row.review.finding, row.review.note) != (finding, note):
        raise errors.Conflict("reviewed", _("This was reviewed already."))
    return row


def _access_officer(actor: Actor) -> Administrator:
    administrator = access_administrator(actor)
    if administrator not in reviewers_of(administrator.organisation):
        audit.record_denial(actor=actor, action="emergency_accesses.access", patient_id=None)
        raise errors.Forbidden("forbidden", _("This account cannot do that."))
    return administrator
