"""What holds an erasure up: a legal hold, for a reason, and the organisation's own times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from backend import errors
from backend.accounts import audit
from backend.accounts.access import Scope, access_administrator, access_patient
from backend.accounts.actor import Actor
from backend.privacy.models import LegalHold, RetentionSchedule
from backend.privacy.selectors import standing_hold


@dataclass(frozen=True, slots=True)
class Held:
    """`is_new` is false when the same hold stood already."""

    hold: LegalHold
    is_new: bool


@transaction.atomic
def set_legal_hold(*, actor: Actor, patient_id: UUID, reason: str, now: datetime) -> Held:
    """Nothing of this patient's is erased from now on. Again with the same reason changes nothing.

    Raises `NotFound`, `Forbidden`, and `Conflict` when a hold stands for another reason.
    """
    access_administrator(actor)
    patient = access_patient(actor, patient_id, scope=Scope.ADMINISTRATIVE, lock=True)
    standing = standing_hold(patient.pk)
    if standing is not None:
        if standing.reason != reason:
            raise errors.Conflict("legal_hold_stands", _("A hold stands already. Lift it first."))
        return Held(standing, is_new=False)
    assert actor.user_id is not None
    hold = LegalHold.objects.create(
        patient=patient, reason=reason, set_at=now, set_by_id=actor.user_id
    )
    _audit(actor, "legal_hold.set", hold)
    return Held(hold, is_new=True)


@transaction.atomic
def lift_legal_hold(*, actor: Actor, patient_id: UUID, now: datetime) -> None:
    """Lifts the hold that stands; without one, nothing happens. Raises `NotFound`, `Forbidden`."""
    access_administrator(actor)
    patient = access_patient(actor, patient_id, scope=Scope.ADMINISTRATIVE, lock=True)
    standing = standing_hold(patient.pk)
    if standing is not None:
        LegalHold.objects.filter(pk=standing.pk).update(lifted_at=now, lifted_by_id=actor.user_id)
        _audit(actor, "legal_hold.lift", standing)


@transaction.atomic
def set_retention(
    *, organisation_id: UUID, grace_days: int, record_years: int, reason: str, now: datetime
) -> RetentionSchedule:
    """The organisation's times from now on. Wishes that stand already keep their day."""
    row, _is_new = RetentionSchedule.objects.update_or_create(
        organisation_id=organisation_id,
        defaults={
            "grace_days": grace_days,
            "record_years": record_years,
            "reason": reason,
            "set_at": now,
        },
    )
    audit.record(
        actor=Actor.system("set_retention"),
        action="retention.set",
        object_kind="organisation",
        object_id=organisation_id,
        facts={"grace_days": grace_days, "record_years": record_years},
    )
    return row


def _audit(actor: Actor, action: str, hold: LegalHold) -> None:
    audit.record(
        actor=actor,
        action=action,
        patient_id=hold.patient_id,
        object_kind="legal_hold",
        object_id=hold.pk,
    )
