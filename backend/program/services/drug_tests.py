"""Entering the result of a drug test, and taking back one that was a mistake."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from backend import errors
from backend.accounts.access import access_patient
from backend.accounts.actor import Actor
from backend.program.models import DrugTest, DrugTestResult
from backend.program.selectors import find_drug_test
from backend.program.services.storing import Stored, audit_act, find_replay, insert


@transaction.atomic
def record_drug_test(
    *,
    actor: Actor,
    patient_id: UUID,
    test_id: UUID,
    collected_on: date,
    result: str,
    positive_for: Sequence[str],
    now: datetime,
) -> Stored[DrugTest]:
    """A result. The same again changes nothing, also after it was withdrawn. Nobody is told.

    Raises `NotFound`, `Invalid` for a day that has not come and for substances of a test that is
    not positive, `Conflict` for an id that is taken.
    """
    patient = access_patient(actor, patient_id, lock=True)
    found = sorted(set(positive_for))
    said = {"collected_on": collected_on, "result": result, "positive_for": found}
    known = find_replay(DrugTest, test_id, patient=patient, said=said)
    if known is not None:
        return Stored(known, is_new=False)
    if found and result != DrugTestResult.POSITIVE:
        words = _("Only a positive test is positive for something.")
        raise errors.invalid_field("/positive_for", "contradiction", words)
    if collected_on > now.astimezone(ZoneInfo(patient.time_zone)).date():
        words = _("This day has not come yet.")
        raise errors.invalid_field("/collected_on", "in_the_future", words)
    row = DrugTest(
        id=test_id, patient=patient, recorded_at=now, recorded_by_id=actor.user_id, **said
    )
    insert(row)
    audit_act(actor, "drug_test.record", patient_id=patient.pk, row=row)
    return Stored(row, is_new=True)


@transaction.atomic
def withdraw_drug_test(*, actor: Actor, patient_id: UUID, test_id: UUID, now: datetime) -> None:
    """It was a mistake and counts no more; it stays in the record. Again changes nothing.

    Raises `NotFound`.
    """
    patient = access_patient(actor, patient_id, lock=True)
    row = find_drug_test(patient.pk, test_id)
    if row.withdrawn_at is not None:
        return
    row.withdrawn_at = now
    row.save(update_fields=["withdrawn_at"])
    audit_act(actor, "drug_test.withdraw", patient_id=patient.pk, row=row)
