"""The one door to a patient's data. Not there and not yours look the same.

| actor | own | care team, now | same organisation | else |
|---|---|---|---|---|
| patient | clinical | - | - | - |
| clinician | - | clinical | clinical if on call or clinical supervisor; see below | - |
| administrator | - | - | administrative | - |
| operator | - | - | - | - |
| system | clinical | clinical | clinical | clinical |

A clinician with a live emergency access to a patient of their organisation may read that one and
write nothing: only a caller that says `reading` lets them in. Whoever else is shown something is
shown it under a consent of the patient: `access_under_consent`.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from django.db.models import DateField, DateTimeField, Exists, F, Func, OuterRef, Q, QuerySet, Value
from django.utils import timezone
from django.utils.translation import gettext as _

from backend import errors
from backend.accounts import audit
from backend.accounts.actor import Actor, Role
from backend.accounts.consent_scopes import ConsentScope, registered
from backend.accounts.hot_reads import find_own_patient
from backend.accounts.models import (
    Administrator,
    CareTeamMember,
    Clinician,
    ClinicianRole,
    Consent,
    ConsentRevocation,
    EmergencyAccess,
    Patient,
)
from backend.accounts.recipients import Recipient
from backend.row_security import acting_as_system
from backend.rows import one

ORGANISATION_WIDE = (ClinicianRole.ON_CALL.value, ClinicianRole.CLINICAL_SUPERVISOR.value)


class Scope(StrEnum):
    """How much of a patient is asked for."""

    CLINICAL = "clinical"
    ADMINISTRATIVE = "administrative"


# What takes a patient's row for the transaction inside a larger statement. What the statement reads
# beside it may be older than the lock; what later statements read is not.
HOLD_PATIENT = "SELECT id FROM accounts_patient WHERE id = {patient_id} FOR NO KEY UPDATE"


def hold_patient(patient_id: UUID) -> None:
    """Takes the row of a patient whom `access_*` gave for this transaction."""
    one(HOLD_PATIENT.format(patient_id="%s"), [patient_id])


def not_found() -> errors.NotFound:
    """The one refusal for what is not there and for what is not yours."""
    return errors.NotFound("not_found", _("There is nothing here for you."))


def live_care_team(*, on: date) -> QuerySet[CareTeamMember]:
    """Ties that hold on that day."""
    return CareTeamMember.objects.filter(
        Q(ended_on__isnull=True) | Q(ended_on__gt=on), started_on__lte=on
    )


def visible_patients(
    actor: Actor, *, scope: Scope = Scope.CLINICAL, reading: bool = False
) -> QuerySet[Patient]:
    """Every patient this actor may see in that scope; an empty set for everyone else.

    With `reading` also those that a live emergency access of theirs names.
    """
    patients = Patient.objects.all()
    if actor.role is Role.SYSTEM:
        return patients
    if actor.user_id is None:  # would match everyone who has no account yet
        return patients.none()
    if actor.role is Role.PATIENT:
        return patients.filter(user_id=actor.user_id)
    if actor.role is Role.CLINICIAN:
        return _visible_to_clinician(actor.user_id, patients, reading=reading)
    if actor.role is Role.ADMINISTRATOR and scope is Scope.ADMINISTRATIVE:
        return patients.filter(organisation__administrators__user_id=actor.user_id)
    return patients.none()


def live_emergency_accesses(*, at: datetime) -> QuerySet[EmergencyAccess]:
    """Those that are open at that moment."""
    return EmergencyAccess.objects.filter(opened_at__lte=at, ends_at__gt=at)


def _visible_to_clinician(
    user_id: UUID, patients: QuerySet[Patient], *, reading: bool
) -> QuerySet[Patient]:
    now = timezone.now()
    on_team = live_care_team(on=now.date()).filter(
        patient_id=OuterRef("pk"), clinician__user_id=user_id
    )
    organisation_wide = Clinician.objects.filter(
        user_id=user_id,
        organisation_id=OuterRef("organisation_id"),
        roles__overlap=list(ORGANISATION_WIDE),
    )
    # The organisation must match even on the team: a tie left over from a move opens nothing.
    same_organisation = Clinician.objects.filter(
        user_id=user_id, organisation_id=OuterRef("organisation_id")
    )
    theirs = Q(Exists(on_team)) | Q(Exists(organisation_wide))
    if reading:
        opened = live_emergency_accesses(at=now).filter(
            patient_id=OuterRef("pk"), clinician__user_id=user_id
        )
        theirs |= Q(Exists(opened))
    return patients.filter(Exists(same_organisation)).filter(theirs)


def access_patient(
    actor: Actor,
    patient_id: UUID,
    *,
    scope: Scope = Scope.CLINICAL,
    lock: bool = False,
    reading: bool = False,
) -> Patient:
    """The patient, if this actor may see them in that scope.

    `lock` takes the row for this transaction, so that writes for one person go one at a time.
    `reading` says that nothing will be written: then an emergency access is enough. Raises
    `NotFound`; the refusal is audited in a transaction of its own.
    """
    patients = visible_patients(actor, scope=scope, reading=reading)
    patients = patients.select_related("organisation", "user")
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


def access_colleagues_patient(actor: Actor, patient_id: UUID) -> Patient:
    """The locked row of any patient of the clinician's organisation, to ask for emergency access.

    Only that: nothing of the patient may be shown on the strength of it. Raises `NotFound`; the
    refusal is audited in a transaction of its own.
    """
    with acting_as_system("emergency_access.ask"):
        patient = (
            Patient.objects.select_related("organisation", "user")
            .select_for_update(of=("self",), no_key=True)
            .filter(pk=patient_id, organisation__clinicians__user_id=actor.user_id)
            .first()
            if actor.role is Role.CLINICIAN and actor.user_id
            else None
        )
    if patient is None:
        audit.record_denial(actor=actor, action="emergency_access.ask", patient_id=patient_id)
        raise not_found()
    return patient


def access_own_patient(actor: Actor, *, lock: bool = False) -> Patient:
    """The patient that the signed-in account is. Raises `Forbidden` for everyone else.

    `lock` takes the row for this transaction, so that writes for one person go one at a time.
    """
    user_id = actor.user_id if actor.role is Role.PATIENT else None
    patient = actor.own_patient if user_id and not lock else None
    if user_id and patient is None:
        patient = find_own_patient(user_id, lock=lock)
    if patient is None:
        audit.record_denial(actor=actor, action="patient.access_own", patient_id=None)
        raise errors.Forbidden("forbidden", _("This account cannot do that."))
    return patient


def read_own_patient(actor: Actor, what: str) -> Patient:
    """The same, for showing them their own `what`: it leaves a row like anybody's reading.

    A lost phone reads as its owner, so that only the log can say what it was shown. Runs in the
    transaction of the read.
    """
    patient = access_own_patient(actor)
    audit.record(actor=actor, action=f"{what}.read", patient_id=patient.pk)
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


# Consent ------------------------------------------------------------------------------------------


def live_consents(
    *,
    at: datetime,
    patient_id: UUID | None = None,
    recipient: Recipient | None = None,
    scope: ConsentScope | None = None,
    purpose: str | None = None,
) -> QuerySet[Consent]:
    """Consents that hold at that moment: signed, not revoked, not past their day or event.

    A day is over where the patient is. Narrowed to whatever else is named.
    """
    today = Func(
        Value(at, output_field=DateTimeField()),
        F("patient__time_zone"),
        template="(%(expressions)s)::date",
        arg_joiner=" AT TIME ZONE ",
        output_field=DateField(),
    )
    in_care = Q(patient__discharged_at__isnull=True) | Q(patient__discharged_at__gt=at)
    revoked = ConsentRevocation.objects.filter(consent_id=OuterRef("pk"))
    rows = Consent.objects.filter(~Exists(revoked), signed_at__lte=at).filter(
        Q(expires_on__gte=today) | Q(expires_on__isnull=True) & in_care
    )
    if patient_id is not None:
        rows = rows.filter(patient_id=patient_id)
    if recipient is not None:
        rows = rows.filter(recipient_key=recipient.key)
    if scope is not None:
        rows = rows.filter(scopes__contains=[scope.value])
    if purpose is not None:
        rows = rows.filter(purpose=purpose)
    return rows


def access_under_consent(
    actor: Actor,
    recipient: Recipient,
    patient_id: UUID,
    *,
    scope: ConsentScope,
    purpose: str,
    at: datetime,
    consent_id: UUID | None = None,
) -> Consent:
    """The live consent that lets this recipient see that part of the record for that purpose.

    The newest one, or the one named. Says nothing of whether the actor may see the patient. Raises
    `NotFound`; the refusal is audited in a transaction of its own.
    """
    rows = live_consents(
        at=at, patient_id=patient_id, recipient=recipient, scope=scope, purpose=purpose
    )
    if consent_id is not None:
        rows = rows.filter(pk=consent_id)
    consent = rows.select_related("patient").order_by("-signed_at", "-pk").first()
    if consent is None or scope not in registered():
        audit.record_denial(
            actor=actor,
            action="consent.access",
            patient_id=patient_id,
            facts={"scope": scope.value, "purpose": purpose},
        )
        raise not_found()
    return consent
