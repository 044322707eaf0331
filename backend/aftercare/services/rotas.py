"""Who is on call, and when: shifts entered and taken back by administrators."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from backend import errors
from backend.accounts import audit
from backend.accounts.access import ORGANISATION_WIDE, access_administrator, not_found
from backend.accounts.actor import Actor
from backend.accounts.models import Clinician
from backend.aftercare.models import OnCallShift

PLANNED_WITHIN = timedelta(days=366)


@transaction.atomic
def add_shift(
    *,
    actor: Actor,
    shift_id: UUID,
    clinician_id: UUID,
    starts_at: datetime,
    ends_at: datetime,
    now: datetime,
) -> tuple[OnCallShift, bool]:
    """Puts a clinician on call for that time; whether it is new comes second. Shifts may overlap.

    Raises `Forbidden` for whoever is no administrator, `Invalid`, and `Conflict` for an id that
    stands with other content (with the stored copy) or elsewhere (without).
    """
    organisation = access_administrator(actor).organisation
    known = OnCallShift.objects.select_related("clinician").filter(pk=shift_id).first()
    if known is not None:
        return _same(known, organisation.pk, clinician_id, starts_at, ends_at), False
    clinician = Clinician.objects.filter(
        pk=clinician_id, organisation=organisation, user__is_active=True
    ).first()
    if clinician is None:
        raise errors.invalid_field(
            "/clinician_id", "not_in_organisation", _("There is no such clinician here.")
        )
    if not set(clinician.roles) & set(ORGANISATION_WIDE):
        raise errors.invalid_field(
            "/clinician_id",
            "sees_no_patients",
            _("Only who has the role of being on call, or is a clinical supervisor, can be."),
        )
    _refuse_times(starts_at, ends_at, now=now)
    shift = OnCallShift(
        pk=shift_id,
        organisation=organisation,
        clinician=clinician,
        starts_at=starts_at,
        ends_at=ends_at,
        created_at=now,
    )
    try:
        with transaction.atomic():
            shift.save(force_insert=True)
    except IntegrityError:  # the same request at the same moment, or somebody else's id
        known = OnCallShift.objects.select_related("clinician").get(pk=shift_id)
        return _same(known, organisation.pk, clinician_id, starts_at, ends_at), False
    _audit(actor, "on_call_shift.add", shift)
    return shift, True


@transaction.atomic
def cancel_shift(*, actor: Actor, shift_id: UUID, now: datetime) -> None:
    """Takes it back, also while it runs; again, it changes nothing. Raises `NotFound`."""
    organisation = access_administrator(actor).organisation
    rows = OnCallShift.objects.select_for_update().filter(organisation=organisation)
    shift = rows.filter(pk=shift_id).first()
    if shift is None:
        raise not_found()
    if shift.cancelled_at is not None:
        return
    shift.cancelled_at = now
    shift.save(update_fields=["cancelled_at"])
    _audit(actor, "on_call_shift.cancel", shift)


def _same(
    known: OnCallShift,
    organisation_id: UUID,
    clinician_id: UUID,
    starts_at: datetime,
    ends_at: datetime,
) -> OnCallShift:
    if known.organisation_id != organisation_id:
        raise errors.Conflict("id_in_use", _("This id belongs to something else."))
    if known.cancelled_at is not None:
        raise errors.Gone("shift_cancelled", _("This shift was taken back, and stays so."))
    if (known.clinician_id, known.starts_at, known.ends_at) != (clinician_id, starts_at, ends_at):
        raise errors.Conflict(
            "id_conflict",
            _("This id is stored with other content. Nothing was overwritten."),
            extra={"stored": known},
        )
    return known


def _refuse_times(starts_at: datetime, ends_at: datetime, *, now: datetime) -> None:
    if ends_at <= starts_at:
        raise errors.invalid_field("/ends_at", "contradiction", _("It ends before it begins."))
    if ends_at - starts_at > OnCallShift.LONGEST:
        raise errors.invalid_field("/ends_at", "out_of_bounds", _("A shift is a week at most."))
    if ends_at <= now:
        raise errors.invalid_field("/ends_at", "in_the_past", _("This is over already."))
    if ends_at > now + PLANNED_WITHIN:
        raise errors.invalid_field("/ends_at", "too_many_days", _("Plan a year at most."))


def _audit(actor: Actor, action: str, shift: OnCallShift) -> None:
    audit.record(
        actor=actor,
        action=action,
        object_kind="on_call_shift",
        object_id=shift.pk,
        facts={"clinician_id": str(shift.clinician_id)},
    )
