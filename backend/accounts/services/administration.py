"""What an administrator does for their own organisation: patients, clinicians, care teams.

Ids are made by the caller, so that what is sent twice is stored once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, TypeVar
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, models, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from backend import errors
from backend.accounts import audit
from backend.accounts.access import (
    Scope,
    access_administrator,
    access_patient,
    live_care_team,
    not_found,
)
from backend.accounts.actor import Actor, Role
from backend.accounts.models import (
    CareTeamMember,
    Clinician,
    Patient,
    ResetPurpose,
    User,
)
from backend.accounts.places import refuse_unknown_places
from backend.accounts.services.enrolment import join_care_team, leave_care_team
from backend.accounts.services.passwords import LONGEST_EMAIL, queue_password_code

Row = TypeVar("Row", Patient, Clinician)
Kept = TypeVar("Kept", Patient, Clinician, CareTeamMember)


@dataclass(frozen=True, slots=True)
class Stored(Generic[Kept]):
    """`is_new` is false when the same stood already."""

    row: Kept
    is_new: bool


@transaction.atomic
def register_patient(
    *,
    actor: Actor,
    patient_id: UUID,
    given_name: str,
    family_name: str,
    born_on: date | None,
    country: str | None,
    time_zone: str | None,
    now: datetime,
) -> Stored[Patient]:
    """Puts a person on the organisation's list; country and zone are its own unless given.

    Raises `Invalid` for an unknown place or a day to come, `Conflict` for a known id with another
    body: with the stored copy in `extra` when it is of this organisation, without when it is not.
    """
    refuse_unknown_places(country=country, time_zone=time_zone)
    if born_on is not None and born_on > now.date():
        raise errors.invalid_field("/born_on", "in_the_future", _("This day has not come yet."))
    organisation = access_administrator(actor).organisation
    given = {
        "given_name": given_name,
        "family_name": family_name,
        "born_on": born_on,
        "country": country,
        "time_zone": time_zone,
    }
    patient = Patient(pk=patient_id, organisation=organisation, **given)
    patient.country = country or organisation.country
    patient.time_zone = time_zone or organisation.time_zone
    if _insert(patient):
        _audit(actor, "patient.add", patient=patient, kind="patient", object_id=patient.pk)
        return Stored(patient, is_new=True)
    # What was left to the clinic may have been filled in since: it makes no difference.
    said = {name: value for name, value in given.items() if value is not None}
    return Stored(_same(Patient.objects.all(), patient, said), is_new=False)


@transaction.atomic
def invite_clinician(
    *,
    actor: Actor,
    clinician_id: UUID,
    email: str,
    display_name: str,
    roles: Sequence[str],
    language: str,
    now: datetime,
) -> Stored[Clinician]:
    """Adds a clinician without a password, and has a code to set one mailed to them alone.

    So nobody but the clinician can ever sign in as them. `roles` are `ClinicianRole` values.
    Raises `Conflict` when the address cannot be used, or as `register_patient` does.
    """
    organisation = access_administrator(actor).organisation
    email = email.strip().lower()
    said = {"display_name": display_name, "roles": sorted(set(roles))}
    user = User(
        email=email, password=make_password(None), role=Role.CLINICIAN.value, language=language
    )
    clinician = Clinician(pk=clinician_id, organisation=organisation, user=user, **said)
    if len(email) > LONGEST_EMAIL:  # lower case may be longer than what was typed
        raise _address_unavailable()
    if not _insert(user, clinician):
        stored = Clinician.objects.select_related("user")
        if not stored.filter(pk=clinician_id).exists():
            raise _address_unavailable()
        same = _same(stored, clinician, said)
        if same.user.email != email:
            raise _known_id(same)
        return Stored(same, is_new=False)
    _audit(actor, "clinician.add", patient=None, kind="clinician", object_id=clinician.pk)
    queue_password_code(actor=actor, email=email, purpose=ResetPurpose.FIRST, now=now)
    return Stored(clinician, is_new=True)


@transaction.atomic
def set_care_team_member(
    *, actor: Actor, patient_id: UUID, clinician_id: UUID, role: str, now: datetime
) -> Stored[CareTeamMember]:
    """Ties a clinician to a patient from today on. Another role ends the old tie, which is kept.

    Raises `NotFound` unless both are of the administrator's organisation.
    """
    patient, clinician = _both(actor, patient_id, clinician_id)
    today = now.date()
    standing = live_care_team(on=today).filter(patient=patient, clinician=clinician).first()
    if standing is not None and standing.role == role:
        return Stored(standing, is_new=False)
    if standing is not None:
        leave_care_team(actor=actor, patient=patient, clinician=clinician, on=today)
    member = join_care_team(actor=actor, patient=patient, clinician=clinician, role=role, on=today)
    return Stored(member, is_new=standing is None)


@transaction.atomic
def end_care_team_member(
    *, actor: Actor, patient_id: UUID, clinician_id: UUID, now: datetime
) -> None:
    """Ends the tie today, from the next request on; without one, nothing happens.

    Raises `NotFound` unless both are of the administrator's organisation.
    """
    patient, clinician = _both(actor, patient_id, clinician_id)
    leave_care_team(actor=actor, patient=patient, clinician=clinician, on=now.date())


def _both(actor: Actor, patient_id: UUID, clinician_id: UUID) -> tuple[Patient, Clinician]:
    access_administrator(actor)
    # The patient's row is locked, so that changes of one care team go one at a time.
    patient = access_patient(actor, patient_id, scope=Scope.ADMINISTRATIVE, lock=True)
    clinician = Clinician.objects.filter(
        pk=clinician_id, organisation_id=patient.organisation_id
    ).first()
    if clinician is None:
        raise not_found()
    return patient, clinician


def _insert(*rows: models.Model) -> bool:
    """Stores them all, or none when one of them clashes with what is there."""
    try:
        with transaction.atomic():
            for row in rows:
                row.save(force_insert=True)
    except IntegrityError:
        return False
    return True


def _same(known: QuerySet[Row], sent: Row, said: Mapping[str, object]) -> Row:
    """The stored row under the id that was sent, if it says the same."""
    row = known.filter(pk=sent.pk).first()  # another organisation's is not even shown
    if row is None or row.organisation_id != sent.organisation_id:
        raise _known_id(None)
    if any(getattr(row, name) != value for name, value in said.items()):
        raise _known_id(row)
    return row


def _known_id(row: Patient | Clinician | None) -> errors.Conflict:
    return errors.Conflict(
        "id_conflict",
        _("This id is stored with other content. Nothing was overwritten."),
        extra={} if row is None else {"stored": row},
    )


def _address_unavailable() -> errors.Conflict:
    return errors.Conflict("address_unavailable", _("Please use another e-mail address."))


def _audit(
    actor: Actor, action: str, *, patient: Patient | None, kind: str, object_id: UUID
) -> None:
    audit.record(
        actor=actor,
        action=action,
        patient_id=patient.pk if patient else None,
        object_kind=kind,
        object_id=object_id,
    )
