"""The one door to a patient's data. Not there and not yours look the same.

| actor | own | care team, now | same organisation | else |
|---|---|---|---|---|
| patient | clinical | - | - | - |
| clinician | - | clinical | clinical if on call or clinical supervisor | - |
| administrator | - | - | administrative | - |
| operator | - | - | - | - |
| system | clinical | clinical | clinical | clinical |
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from backend import errors
from backend.accounts import audit
from backend.accounts.actor import Actor, Role
from backend.accounts.hot_reads import find_own_patient
from backend.accounts.models import (
    Administrator,
    CareTeamMember,
    Clinician,
    ClinicianRole,
    Patient,
)

ORGANISATION_WIDE = (ClinicianRole.ON_CALL.value, ClinicianRole.CLINICAL_SUPERVISOR.value)


class Scope(StrEnum):
    """How much of a patient is asked for."""

    CLINICAL = "clinical"
    ADMINISTRATIVE = "administrative"


def not_found() -> errors.NotFound:
    """The one refusal for what is not there and for what is not yours."""
    return errors.NotFound("not_found", _("There is nothing here for you."))


def live_care_team(*, on: date) -> QuerySet[CareTeamMember]:
    """Ties that hold on that day."""
    return CareTeamMember.objects.filter(
        Q(ended_on__isnull=True) | Q(ended_on__gt=on), started_on__lte=on
    )


def visible_patients(actor: Actor, *, scope: Scope = Scope.CLINICAL) -> QuerySet[Patient]:
    """Every patient this actor may see in that scope; an empty set for everyone else."""
    patients = Patient.objects.all()
    if actor.role is Role.SYSTEM:
        return patients
    if actor.user_id is None:  # would match everyone who has no account yet
        return patients.none()
    if actor.role is Role.PATIENT:
        return patients.filter(user_id=actor.user_id)
    if actor.role is Role.CLINICIAN:
        return _visible_to_clinician(actor.user_id, patients)
    if actor.role is Role.ADMINISTRATOR and scope is Scope.ADMINISTRATIVE:
        return patients.filter(organisation__administrators__user_id=actor.user_id)
    return patients.none()


def _visible_to_clinician(user_id: UUID, patients: QuerySet[Patient]) -> QuerySet[Patient]:
    today = timezone.now().date()
    on_team = live_care_team(on=today).filter(patient_id=OuterRef("pk"), clinician__user_id=user_id)
    organisation_wide = Clinician.objects.filter(
        user_id=user_id,
        organisation_id=OuterRef("organisation_id"),
        roles__overlap=list(ORGANISATION_WIDE),
    )
    # The organisation must match even on the team: a tie left over from a move opens nothing.
    same_organisation = Clinician.objects.filter(
        user_id=user_id, organisation_id=OuterRef("organisation_id")
    )
    return patients.filter(Exists(same_organisation)).filter(
        Exists(on_team) | Exists(organisation_wide)
    )


def access_patient(
    actor: Actor, patient_id: UUID, *, scope: Scope = Scope.CLINICAL, lock: bool = False
) -> Patient:
    """The patient, if this actor may see them in that scope.

    `lock` takes the row for this transaction, so that writes for one person go one at a time.
    Raises `NotFound`; the refusal is audited in a transaction of its own.
    """
    patients = visible_patients(actor, scope=scope).select_related("organisation", "user")
    if lock:
        patients = patients.select_for_update(of=("self",), no_key=True)
    patient = patients.filter(pk=patient_id).first()
    if patient is None:
        audit.record_denial(
            actor=actor,
            action="patient.access",
            patient_id=patient_id,
            facts={"scope": scope.value},
        )
        raise not_found()
    return patient


def access_own_patient(actor: Actor, *, lock: bool = False) -> Patient:
    """The patient that the signed-in account is. Raises `Forbidden` for everyone else."""
    user_id = actor.user_id if actor.role is Role.PATIENT else None
    patient = find_own_patient(user_id, lock=lock) if user_id else None
    if patient is None:
        audit.record_denial(actor=actor, action="patient.access_own", patient_id=None)
        raise errors.Forbidden("forbidden", _("This account cannot do that."))
    return patient


def access_clinician(actor: Actor) -> Clinician:
    """The clinician that the signed-in account is. Raises `Forbidden` for everyone else."""
    clinician = (
        Clinician.objects.select_related("organisation").filter(user_id=actor.user_id).first()
        if actor.role is Role.CLINICIAN and actor.user_id
        else None
    )
    if clinician is None:
        audit.record_denial(actor=actor, action="clinician.access_own", patient_id=None)
        raise errors.Forbidden("forbidden", _("This account cannot do that."))
    return clinician


def access_administrator(actor: Actor) -> Administrator:
    """The administrator that the signed-in account is. Raises `Forbidden` for everyone else."""
    administrator = (
        Administrator.objects.select_related("organisation").filter(user_id=actor.user_id).first()
        if actor.role is Role.ADMINISTRATOR and actor.user_id
        else None
    )
    if administrator is None:
        audit.record_denial(actor=actor, action="administrator.access_own", patient_id=None)
        raise errors.Forbidden("forbidden", _("This account cannot do that."))
    return administrator
