"""A clinician says that a patient's usual is new: what came before counts no more."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from backend import errors
from backend.accounts.access import access_patient
from backend.accounts.actor import Actor
from backend.tracking.baselines import find_baseline_start, store_baseline_start
from backend.tracking.models import BaselineStart


@transaction.atomic
def start_baseline(
    *, actor: Actor, patient_id: UUID, start_id: UUID, from_on: date, reason: str, now: datetime
) -> tuple[BaselineStart, bool]:
    """From that day on, days count towards the patient's usual. Whether it is new comes second.

    The trend is unknown until there are days enough again; acute rules hold all the while. Raises
    `NotFound`, `Invalid` for a day that has not come, `Conflict` for an id that is taken.
    """
    patient = access_patient(actor, patient_id, lock=True)
    known = find_baseline_start(start_id)
    if known is not None:
        same = (known.patient_id, known.from_on, known.reason) == (patient.pk, from_on, reason)
        if not same:
            raise _id_in_use()
        return known, False
    if from_on > now.astimezone(ZoneInfo(patient.time_zone)).date():
        raise errors.invalid_field("/from_on", "in_the_future", _("This day has not come yet."))
    try:
        with transaction.atomic():
            start = store_baseline_start(
                actor=actor,
                patient_id=patient.pk,
                start_id=start_id,
                from_on=from_on,
                reason=reason,
                now=now,
            )
    except IntegrityError:  # taken a moment ago, for another patient: this one's lock says nothing
        raise _id_in_use() from None
    return start, True


def _id_in_use() -> errors.Conflict:
    return errors.Conflict("id_in_use", _("This id belongs to something else."))
