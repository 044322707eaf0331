"""From a name on the clinic's list to a person with an account and a care team."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import DataError, IntegrityError, transaction
from django.utils.translation import gettext as _

from backend import errors
from backend.accounts import audit, rate_limits
from backend.accounts.access import Scope, access_patient, live_care_team, not_found
from backend.accounts.actor import Actor, Role
from backend.accounts.models import (
    CareTeamMember,
    Clinician,
    EnrolmentCode,
    Organisation,
    Patient,
    User,
)
from backend.accounts.services.passwords import refuse_weak_password
from backend.accounts.services.signing_in import SignedIn, issue_token
from backend.accounts.tokens import hash_code, new_code
from backend.row_security import acting_as_system

ADULT_AGE = 18


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """`code` is shown this once and never stored."""

    code: str
    expires_at: datetime


@transaction.atomic
def add_patient(
    *,
    actor: Actor,
    organisation: Organisation,
    given_name: str,
    family_name: str = "",
    born_on: date | None = None,
    time_zone: str | None = None,
    country: str | None = None,
    external_ref: str = "",
) -> Patient:
    """A person on the organisation's list; country and zone are the organisation's by default."""
    patient = Patient.objects.create(
        organisation=organisation,
        given_name=given_name,
        family_name=family_name,
        born_on=born_on,
        country=country or organisation.country,
        time_zone=time_zone or organisation.time_zone,
        external_ref=external_ref,
    )
    audit.record(
        actor=actor,
        action="patient.add",
        patient_id=patient.pk,
        object_kind="patient",
        object_id=patient.pk,
    )
    return patient


@transaction.atomic
def join_care_team(
    *, actor: Actor, patient: Patient, clinician: Clinician, role: str, on: date
) -> CareTeamMember:
    """Ties a clinician to a patient from that day on; a live tie is kept as it is.

    Raises `Invalid` when the two are not of one organisation.
    """
    if patient.organisation_id != clinician.organisation_id:
        raise errors.Invalid("other_organisation", _("They are not in the same organisation."))
    member, is_new = CareTeamMember.objects.get_or_create(
        patient=patient,
        clinician=clinician,
        ended_on=None,
        defaults={"role": role, "started_on": on},
    )
    if is_new:
        audit.record(
            actor=actor,
            action="care_team.join",
            patient_id=patient.pk,
            object_kind="clinician",
            object_id=clinician.pk,
        )
    return member


@transaction.atomic
def leave_care_team(*, actor: Actor, patient: Patient, clinician: Clinician, on: date) -> None:
    """Ends the live tie on that day; without one, nothing happens."""
    ended = live_care_team(on=on).filter(patient=patient, clinician=clinician).update(ended_on=on)
    if ended:
        audit.record(
            actor=actor,
            action="care_team.leave",
            patient_id=patient.pk,
            object_kind="clinician",
            object_id=clinician.pk,
        )


@transaction.atomic
def issue_enrolment_code(*, actor: Actor, patient_id: UUID, now: datetime) -> IssuedCode:
    """A one-time code for this person. Earlier unused codes stop working.

    Raises `Conflict` when the person has an account already.
    """
    patient = access_patient(actor, patient_id, scope=Scope.ADMINISTRATIVE, lock=True)
    if patient.user_id is not None:
        raise errors.Conflict("already_enrolled", _("This person already has an account."))
    unused = patient.enrolment_codes.filter(used_at__isnull=True, withdrawn_at__isnull=True)
    unused.update(withdrawn_at=now)
    code = new_code()
    row = EnrolmentCode.objects.create(
        patient=patient, code_hash=hash_code(code), expires_at=now + EnrolmentCode.LIFE
    )
    audit.record(
        actor=actor,
        action="enrolment_code.issue",
        patient_id=patient.pk,
        object_kind="enrolment_code",
        object_id=row.pk,
    )
    return IssuedCode(code=code, expires_at=row.expires_at)


def enrol(
    *,
    code: str,
    email: str,
    password: str,
    born_on: date,
    language: str,
    address: str,
    request_id: str,
    now: datetime,
) -> SignedIn:
    """Makes the account of the person whose code this is, and signs them in.

    Raises `NotFound` alike for an unknown, used, withdrawn or expired code and for a date of
    birth that is not the clinic's; `Invalid` for minors and weak passwords; `Conflict` when the
    address cannot be used; `RateLimited`.
    """
    rate_limits.spend(rate_limits.ENROL_BY_ADDRESS, address, now=now)
    # Whoever found a letter with a code cannot go through the dates of birth.
    rate_limits.spend(rate_limits.ENROL_BY_CODE, hash_code(code), now=now)
    with acting_as_system("enrolment"), transaction.atomic():
        row = _find_code(code)
        patient = Patient.objects.select_for_update(no_key=True).get(pk=row.patient_id)
        # The patient's row is locked first, here and where codes are issued; then the code is
        # claimed, and all of it is undone when anything below is refused.
        is_theirs = patient.user_id is None and patient.born_on in (None, born_on)
        if not is_theirs or not _claim_code(row, now=now):
            raise _no_such_code()
        patient.born_on = born_on
        _refuse_minors(patient, on=now.date())
        user = _new_user(email=email, password=password, language=language)
        patient.user, patient.enrolled_at = user, now
        patient.save(update_fields=["user", "born_on", "enrolled_at"])
        actor = Actor(user_id=user.pk, role=Role.PATIENT, request_id=request_id)
        audit.record(
            actor=actor,
            action="patient.enrol",
            patient_id=patient.pk,
            object_kind="enrolment_code",
            object_id=row.pk,
        )
        return issue_token(user=user, request_id=request_id, now=now)


def _find_code(code: str) -> EnrolmentCode:
    row = EnrolmentCode.objects.filter(code_hash=hash_code(code)).first()
    if row is None:
        raise _no_such_code()
    return row


def _claim_code(row: EnrolmentCode, *, now: datetime) -> bool:
    """Whether this call is the one that uses the code up."""
    live = EnrolmentCode.objects.filter(
        pk=row.pk, used_at__isnull=True, withdrawn_at__isnull=True, expires_at__gt=now
    )
    return live.update(used_at=now) == 1


def _no_such_code() -> errors.NotFound:
    error = not_found()
    error.code = "unknown_code"
    error.detail = _("This code and date of birth do not open an account. Please ask your clinic.")
    return error


def _refuse_minors(patient: Patient, *, on: date) -> None:
    age = patient.age_on(on)
    if age is None or age < ADULT_AGE:
        raise errors.invalid_field("/born_on", "adults_only", _("Handrail is for adults."))


def _new_user(*, email: str, password: str, language: str) -> User:
    user = User(email=email.strip().lower(), role=Role.PATIENT.value, language=language)
    refuse_weak_password(password, user)
    user.password = make_password(password)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except (IntegrityError, DataError):  # lower case may be longer than what was typed
        raise errors.Conflict(
            "address_unavailable", _("Please use another e-mail address.")
        ) from None
    return user
