"""Erases what is a patient's own: asked for with the password, after a time in which it can be
taken back, by the worker alone, and looked at afterwards.

All of one patient is erased in one transaction, under that patient's lock: it is there or gone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import DatabaseError, connection, transaction

from backend.accounts import audit, patient_keys
from backend.accounts.access import access_own_patient, not_found
from backend.accounts.actor import Actor
from backend.accounts.models import AccessToken, Patient
from backend.accounts.patient_tables import Fate, PatientTable
from backend.accounts.services import confirm_password
from backend.notifications.models import Notification
from backend.privacy.models import Erasure, RetentionSchedule
from backend.privacy.registry import TABLES
from backend.privacy.selectors import open_erasure, standing_hold
from backend.tracking.models import CheckIn, ErasedCheckIn

logger = structlog.get_logger(__name__)

ACTOR = Actor.system("erase_due")
MOST = 20
Fates = Callable[[PatientTable], Fate]


@dataclass(frozen=True, slots=True)
class AskedErasure:
    """A patient's erasure as it stands. `is_held`: a legal hold stands, and nothing is erased."""

    erasure: Erasure
    is_held: bool
    is_new: bool = False


def request_erasure(*, actor: Actor, password: str, now: datetime) -> AskedErasure:
    """Asks for one's own erasure after the organisation's days of grace; again changes nothing.

    Raises `Forbidden` for whoever is no patient, `Invalid` for a wrong password, `RateLimited`.
    """
    access_own_patient(actor)
    confirm_password(
        actor=actor, password=password, pointer="/password", action="erasure.request", now=now
    )
    with transaction.atomic():
        patient = access_own_patient(actor, lock=True)
        standing = open_erasure(patient.pk)
        if standing is not None:
            return AskedErasure(standing, standing_hold(patient.pk) is not None)
        grace = timedelta(days=schedule_of(patient.organisation_id).grace_days)
        made = Erasure.objects.create(patient=patient, requested_at=now, due_at=now + grace)
        _audit(actor, "erasure.request", made)
        return AskedErasure(made, standing_hold(patient.pk) is not None, is_new=True)


@transaction.atomic
def cancel_erasure(*, actor: Actor, now: datetime) -> None:
    """Takes the wish back. Raises `NotFound` where none stands."""
    patient = access_own_patient(actor, lock=True)
    standing = open_erasure(patient.pk)
    if standing is None:
        raise not_found()
    Erasure.objects.filter(pk=standing.pk).update(cancelled_at=now)
    _audit(actor, "erasure.cancel", standing)


def read_erasure(*, actor: Actor) -> AskedErasure:
    """The wish that stands. Raises `NotFound` where there is none."""
    patient = access_own_patient(actor)
    standing = open_erasure(patient.pk)
    if standing is None:
        raise not_found()
    return AskedErasure(standing, standing_hold(patient.pk) is not None)


def schedule_of(organisation_id: UUID) -> RetentionSchedule:
    """The organisation's own times; those that ship where it has none."""
    own = RetentionSchedule.objects.filter(pk=organisation_id).first()
    return own or RetentionSchedule(organisation_id=organisation_id)


# The worker's part -----------------------------------------------------------------------------


def erase_due(*, now: datetime) -> int:
    """Erases who is due, and ends clinics' records whose time is over; returns how many.

    One that fails is logged and tried again in the next round; it keeps nobody else from it.
    """
    due = Erasure.objects.filter(cancelled_at__isnull=True, done_at__isnull=True, due_at__lte=now)
    over = Erasure.objects.filter(
        done_at__isnull=False, record_ended_at__isnull=True, record_until__lte=now.date()
    )
    count = 0
    for pk in due.order_by("due_at").values_list("pk", flat=True)[:MOST]:
        count += _tried(pk, now=now, is_record=False)
    for pk in over.order_by("record_until").values_list("pk", flat=True)[:MOST]:
        count += _tried(pk, now=now, is_record=True)
    return count


def _tried(erasure_id: UUID, *, now: datetime, is_record: bool) -> bool:
    try:
        return end_record(erasure_id, now=now) if is_record else erase(erasure_id, now=now)
    except (DatabaseError, NotEmptyError) as error:
        logger.error("erasure_failed", exc_info=error)
        return False


class NotEmptyError(Exception):
    """Rows were found where there should be none any more; all of it was undone."""


@transaction.atomic
def erase(
    erasure_id: UUID, *, now: datetime, actor: Actor = ACTOR, waits_for_messages: bool = True
) -> bool:
    """Erases what is this patient's own; whether it did.

    Not while somebody else is at it, while a legal hold stands, or while a message about the
    patient is being sent. Raises `NotEmptyError` when anything was left.
    """
    claimed = _claim(erasure_id, done_at__isnull=True, cancelled_at__isnull=True, due_at__lte=now)
    if claimed is None:
        return False
    if waits_for_messages and _is_being_told(claimed.patient_id, now=now):
        return False
    erasure, patient = claimed, claimed.patient
    _end_access(patient, now=now)
    _leave_ids_of_check_ins(patient.pk, now=now)
    erased = {table.table: 0 for table in TABLES if table.erasure is not Fate.KEPT}
    for table in TABLES:
        if table.erasure is not Fate.KEPT:
            erased[table.table] += _apply(table, table.erasure, erasure)
    patient_keys.destroy(patient.pk)
    erasure.erased, erasure.left = erased, _left(patient.pk, lambda table: table.erasure)
    erasure.done_at = now
    years = schedule_of(patient.organisation_id).record_years
    erasure.record_until = (now + timedelta(days=round(years * 365.25))).date()
    erasure.save(update_fields=["erased", "left", "done_at", "record_until"])
    _audit(actor, "erasure.done", erasure)
    logger.info("patient_erased", count=sum(erased.values()), patient_id=str(patient.pk))
    return True


@transaction.atomic
def end_record(erasure_id: UUID, *, now: datetime) -> bool:
    """Takes away the clinic's own record of a patient who was erased, when its time is over.

    What shows who saw and was told what stays: consents, disclosures, the audit log.
    """
    erasure = _claim(
        erasure_id,
        done_at__isnull=False,
        record_ended_at__isnull=True,
        record_until__lte=now.date(),
    )
    if erasure is None:
        return False
    for table in TABLES:
        if table.record_end is not Fate.KEPT:
            _apply(table, table.record_end, erasure)
    _left(erasure.patient_id, lambda table: table.record_end)
    Erasure.objects.filter(pk=erasure.pk).update(record_ended_at=now)
    _audit(ACTOR, "record.end", erasure)
    return True


def _claim(erasure_id: UUID, **conditions: object) -> Erasure | None:
    """The row, locked, and its patient's; None while it is not due, held or somebody else's."""
    row = (
        Erasure.objects.select_for_update(of=("self",), skip_locked=True)
        .filter(pk=erasure_id, **conditions)
        .first()
    )
    if row is None:
        return None
    row.patient = Patient.objects.select_for_update(no_key=True).get(pk=row.patient_id)
    return None if standing_hold(row.patient_id) else row


def _is_being_told(patient_id: UUID, *, now: datetime) -> bool:
    return Notification.objects.filter(
        patient_id=patient_id, settled_at__isnull=True, lease_expires_at__gt=now
    ).exists()


def _end_access(patient: Patient, *, now: datetime) -> None:
    """Nobody comes in any more, and no sweep looks after them; phones and tokens go as well."""
    AccessToken.objects.filter(user__patient=patient, revoked_at__isnull=True).update(
        revoked_at=now
    )
    Patient.objects.filter(pk=patient.pk, discharged_at__isnull=True).update(discharged_at=now)


def _leave_ids_of_check_ins(patient_id: UUID, *, now: datetime) -> None:
    ids = CheckIn.objects.filter(patient_id=patient_id).values_list("pk", flat=True)
    ErasedCheckIn.objects.bulk_create(
        [ErasedCheckIn(pk=pk, erased_at=now) for pk in ids.iterator()],
        batch_size=1000,
        ignore_conflicts=True,
    )


def _apply(table: PatientTable, fate: Fate, erasure: Erasure) -> int:
    if table.is_history:
        # The database lets nobody else take rows away here, and looks itself whether one is due.
        with connection.cursor() as cursor:
            cursor.execute("SELECT privacy_erase_history(%s)", [erasure.pk])
            return int(cursor.fetchone()[0])
    rows = table.rows(erasure.patient_id)
    if fate is Fate.BLANKED:
        return rows.update(**table.blank)
    return int(rows.delete()[0])


def _left(patient_id: UUID, fate_of: Fates) -> dict[str, int]:
    """How many rows of each table are not as they should be. Raises `NotEmptyError` for any."""
    left: dict[str, int] = {}
    for table in TABLES:
        fate = fate_of(table)
        if fate is not Fate.KEPT:
            left[table.table] = left.get(table.table, 0) + table.left(patient_id, fate)
    if any(left.values()):
        raise NotEmptyError
    return left


def _audit(actor: Actor, action: str, erasure: Erasure) -> None:
    audit.record(
        actor=actor,
        action=action,
        patient_id=erasure.patient_id,
        object_kind="erasure",
        object_id=erasure.pk,
    )
