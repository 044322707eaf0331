"""Doing again, in a restored database, what the journal says of erasures and legal holds.

Each runs in the caller's transaction and returns whether anything changed.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from backend.accounts.actor import Actor
from backend.accounts.models import Patient
from backend.privacy.models import Erasure, LegalHold
from backend.privacy.selectors import open_erasure
from backend.privacy.services.erasing import erase

RESTORED_REASON = "Set before a restore; see the journal."


class NotErasedError(Exception):
    """Somebody who was erased stands in the restored database and could not be erased again."""


def erase_again(*, actor: Actor, patient_id: UUID, erasure_id: UUID, at: datetime) -> bool:
    """Erases a patient who was erased after the back-up; one that the back-up lacks needs nothing.

    Raises `NotErasedError` where it cannot be done: a person has to look before anything runs.
    """
    known = Erasure.objects.filter(pk=erasure_id).first()
    if known is not None and known.done_at is not None:
        return False
    if not Patient.objects.filter(pk=patient_id).exists():
        return False
    standing = known or open_erasure(patient_id)
    if standing is None:
        standing = Erasure.objects.create(
            pk=erasure_id, patient_id=patient_id, requested_at=at, due_at=at
        )
    Erasure.objects.filter(pk=standing.pk).update(
        requested_at=min(standing.requested_at, at), due_at=at, cancelled_at=None
    )
    if not erase(standing.pk, now=at, actor=actor, waits_for_messages=False):
        raise NotErasedError
    return True


def cancel_again(*, erasure_id: UUID, at: datetime) -> bool:
    """Takes a wish back that was taken back."""
    standing = Erasure.objects.filter(
        pk=erasure_id, cancelled_at__isnull=True, done_at__isnull=True
    )
    return bool(standing.update(cancelled_at=at))


def hold_again(*, hold_id: UUID, patient_id: UUID, user_id: UUID | None, at: datetime) -> bool:
    """Sets a hold that the back-up lacks; its reason is lost with the rest."""
    stands = LegalHold.objects.filter(patient_id=patient_id, lifted_at__isnull=True)
    if (
        user_id is None
        or LegalHold.objects.filter(pk=hold_id).exists()
        or stands.exists()
        or not Patient.objects.filter(pk=patient_id).exists()
    ):
        return False
    LegalHold.objects.create(
        pk=hold_id,
        patient_id=patient_id,
        reason=RESTORED_REASON,
        set_at=at,
        set_by_id=user_id,
    )
    return True


def lift_again(*, hold_id: UUID, user_id: UUID | None, at: datetime) -> bool:
    """Lifts a hold that was lifted."""
    stands = LegalHold.objects.filter(pk=hold_id, lifted_at__isnull=True)
    return user_id is not None and bool(stands.update(lifted_at=at, lifted_by_id=user_id))
