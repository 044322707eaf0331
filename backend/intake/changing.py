"""Amending and taking back a check-in. The former content is kept; an alert is never lowered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db import transaction
from django.utils.translation import gettext as _

from backend import errors
from backend.accounts.access import access_own_patient, not_found
from backend.accounts.actor import Actor
from backend.accounts.models import Patient
from backend.aftercare import services as aftercare
from backend.aftercare.models import Alert
from backend.aftercare.selectors import alert_of_check_in
from backend.decoding import validation_problem
from backend.intake.bodies import CheckInBody, stored_body, to_report
from backend.intake.services import conflict_with
from backend.tracking.models import CheckIn
from backend.tracking.selectors import says_the_same
from backend.tracking.services import amend_check_in, withdraw_check_in

# What makes it that check-in: its id and the moment at which it was made.
UNCHANGEABLE = frozenset({"id", "recorded_at"})


@dataclass(frozen=True, slots=True)
class Changed:
    """The check-in after the change. `is_new` is false when it stood like that already."""

    patient: Patient
    check_in: CheckIn
    alert: Alert | None
    is_new: bool


@transaction.atomic
def amend(
    *,
    actor: Actor,
    check_in_id: UUID,
    base_revision: int,
    changes: Mapping[str, Any],
    now: datetime,
) -> Changed:
    """Changes the named items of one's own check-in, if `base_revision` is the stored one.

    A change that stands already is a replay. Raises `NotFound`, `Gone` for a withdrawn one,
    `Conflict` with the stored copy when another revision stands, `Invalid`.
    """
    patient, row = _own(actor, check_in_id)
    if row.withdrawn_at is not None:
        raise errors.Gone("check_in_withdrawn", _("This check-in was taken back."))
    report = to_report(_changed_body(row, changes), patient_zone=patient.time_zone, now=now)
    if says_the_same(row, report):
        return Changed(patient, row, alert_of_check_in(row.pk), is_new=False)
    if row.revision != base_revision:
        raise conflict_with(row)
    amend_check_in(actor=actor, check_in=row, report=report, now=now)
    alert = aftercare.respond_to_amendment(actor=actor, patient=patient, check_in=row, now=now)
    return Changed(patient, row, alert, is_new=True)


@transaction.atomic
def withdraw(*, actor: Actor, check_in_id: UUID, now: datetime) -> Changed:
    """Takes one's own check-in back. Again changes nothing. Raises `NotFound`."""
    patient, row = _own(actor, check_in_id)
    if row.withdrawn_at is not None:
        return Changed(patient, row, alert_of_check_in(row.pk), is_new=False)
    withdraw_check_in(actor=actor, check_in=row, now=now)
    alert = aftercare.respond_to_amendment(actor=actor, patient=patient, check_in=row, now=now)
    return Changed(patient, row, alert, is_new=True)


def _own(actor: Actor, check_in_id: UUID) -> tuple[Patient, CheckIn]:
    patient = access_own_patient(actor, lock=True)
    row = CheckIn.objects.filter(pk=check_in_id, patient=patient).first()
    if row is None:
        raise not_found()
    return patient, row


def _changed_body(row: CheckIn, changes: Mapping[str, Any]) -> CheckInBody:
    for name in sorted(UNCHANGEABLE & changes.keys()):
        raise errors.invalid_field(f"/{name}", "unchangeable", _("This cannot be changed."))
    try:
        return msgspec.convert({**stored_body(row), **changes}, CheckInBody)
    except msgspec.ValidationError as error:
        raise validation_problem(error) from None
