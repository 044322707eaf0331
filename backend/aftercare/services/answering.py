"""What a patient does with a nudge or a prompt: put it aside, put it off, say how it was.

Each is one transaction under the patient's lock, idempotent and audited.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from backend import errors
from backend.accounts import audit
from backend.accounts.access import access_own_patient, not_found
from backend.accounts.actor import Actor
from backend.accounts.models import Patient
from backend.aftercare.models import Nudge, Prompt
from backend.notifications.services import cancel_pending

LONGEST_SNOOZE = timedelta(days=1)


@transaction.atomic
def dismiss_nudge(*, actor: Actor, nudge_id: UUID, now: datetime) -> Nudge | Prompt:
    """Puts it aside. What waits to be sent about it is not. Again changes nothing.

    Several in a row make Handrail say less. Raises `NotFound` for what was never sent.
    """
    row = _own(access_own_patient(actor, lock=True), nudge_id)
    if row.dismissed_at is not None:
        return row
    row.dismissed_at, row.snoozed_until = now, None
    return _save(actor, row, "dismiss", now=now)


@transaction.atomic
def snooze_nudge(*, actor: Actor, nudge_id: UUID, until: datetime, now: datetime) -> Nudge | Prompt:
    """Has it come back then, within a day. The same moment again changes nothing.

    One that was put aside is taken up again by this. Raises `NotFound`, `Invalid`.
    """
    row = _own(access_own_patient(actor, lock=True), nudge_id)
    if row.snoozed_until == until and row.dismissed_at is None:
        return row
    if not now < until <= now + LONGEST_SNOOZE:
        raise errors.invalid_field(
            "/until", "not_within_a_day", _("Choose a time within the next 24 hours.")
        )
    row.snoozed_until, row.dismissed_at = until, None
    return _save(actor, row, "snooze", now=now)


@transaction.atomic
def rate_nudge(
    *, actor: Actor, nudge_id: UUID, helped: bool | None, rating: int | None, now: datetime
) -> Nudge | Prompt:
    """Says whether it helped, or how much from 1 to 5. The last word counts. Raises `NotFound`."""
    row = _own(access_own_patient(actor, lock=True), nudge_id)
    if helped is None and rating is None:
        raise errors.invalid_field("", "empty", _("There is nothing in it."))
    if row.rated_at is not None and (row.helped, row.rating) == (helped, rating):
        return row
    row.helped, row.rating, row.rated_at = helped, rating, now
    return _save(actor, row, "rate", now=now, cancels=False)


def _own(patient: Patient, nudge_id: UUID) -> Nudge | Prompt:
    nudge = Nudge.objects.filter(pk=nudge_id, patient=patient, was_sent=True).first()
    prompt = None
    if nudge is None:
        prompt = Prompt.objects.filter(pk=nudge_id, patient=patient, was_sent=True).first()
    row = nudge or prompt
    if row is None:
        raise not_found()
    return row


def _save(
    actor: Actor, row: Nudge | Prompt, act: str, *, now: datetime, cancels: bool = True
) -> Nudge | Prompt:
    row.save(update_fields=["dismissed_at", "snoozed_until", "helped", "rating", "rated_at"])
    if cancels:
        cancel_pending(subject=subject_of_nudge(row), now=now)
    audit.record(
        actor=actor,
        action=f"nudge.{act}",
        patient_id=row.patient_id,
        object_kind="nudge" if isinstance(row, Nudge) else "prompt",
        object_id=row.pk,
    )
    return row


def subject_of_nudge(row: Nudge | Prompt) -> str:
    """What its messages are about."""
    return f"nudge:{row.pk}" if isinstance(row, Nudge) else f"prompt:{row.pk}"
