"""The same people in every test: a patient, their therapist, a therapist who is not theirs.

Beside them: the second patient, an on-call clinician, a supervisor, an administrator, and a
therapist and a patient of another organisation.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import TypeVar
from uuid import uuid4

from django.contrib.auth.hashers import make_password
from django.db.models import Model
from django.utils import timezone

from backend.accounts import totp
from backend.accounts.actor import Actor, Role
from backend.accounts.models import (
    Administrator,
    CareTeamMember,
    Clinician,
    ClinicianRole,
    Device,
    Organisation,
    Patient,
    SecondFactor,
    User,
)

PASSWORD = "a-long-walk-by-the-river"
Row = TypeVar("Row", bound=Model)
ENROLLED_AT = datetime(2025, 1, 6, 9, 0, tzinfo=UTC)


@cache
def password_hash() -> str:
    return make_password(PASSWORD)


@dataclass(frozen=True)
class People:
    organisation: Organisation
    patient: Patient
    other_patient: Patient
    therapist: Clinician
    stranger: Clinician
    on_call: Clinician
    supervisor: Clinician
    administrator: Administrator
    elsewhere_therapist: Clinician
    elsewhere_patient: Patient

    @property
    def patient_user(self) -> User:
        assert self.patient.user is not None
        return self.patient.user


def make_user(name: str, role: Role, language: str = "en") -> User:
    return _saved(_user(name, role, language))


def make_organisation(name: str = "Riverside", **values: object) -> Organisation:
    return _saved(_organisation(name, **values))


def make_clinician(organisation: Organisation, name: str, *roles: ClinicianRole) -> Clinician:
    return _saved(_clinician(organisation, make_user(name, Role.CLINICIAN), name, *roles))


def make_patient(organisation: Organisation, name: str, **values: object) -> Patient:
    return _saved(_patient(organisation, make_user(name, Role.PATIENT), name, **values))


def make_tie(patient: Patient, clinician: Clinician) -> CareTeamMember:
    return _saved(_tie(patient, clinician))


def make_device(user: User, target: str = "", **values: object) -> Device:
    return Device.objects.create(
        **{
            "installation_id": uuid4(),
            "user": user,
            "push_target": target or f"target-{uuid4().hex}",
            "target_kind": "token",
            "platform": "android",
            "registered_at": ENROLLED_AT,
            **values,
        }
    )


def secret_of(user: User) -> str:
    """The key of this account's authenticator app."""
    return base64.b32encode(hashlib.sha1(user.pk.bytes, usedforsecurity=False).digest()).decode()


def enrol_app(user: User) -> SecondFactor:
    """Gives the account an authenticator app, unless it has one."""
    found, _made = SecondFactor.objects.get_or_create(
        user=user,
        kind="totp",
        defaults={
            "sealed_secret": totp.seal(secret_of(user), user_id=user.pk),
            "created_at": ENROLLED_AT,
        },
    )
    return found


def next_code(user: User) -> str:
    """A code of the app that was not taken yet; twice for every half minute, at least."""
    step = max(totp.step_at(timezone.now()), enrol_app(user).last_step + 1)
    return totp.code_at(secret_of(user), step=step)


def actor_for(user: User) -> Actor:
    return Actor(user_id=user.pk, role=Role(user.role))


def make_people() -> People:
    """One statement a table: thousands of tests make these people."""
    organisation, elsewhere = _organisation("Riverside"), _organisation("Hillside")
    patients = {
        name: _patient(where, _user(name, Role.PATIENT), name)
        for name, where in (("alice", organisation), ("andrea", organisation), ("emil", elsewhere))
    }
    clinicians = {
        name: _clinician(where, _user(name, Role.CLINICIAN), name, role)
        for name, where, role in (
            ("bob", organisation, ClinicianRole.THERAPIST),
            ("charlie", organisation, ClinicianRole.THERAPIST),
            ("dana", organisation, ClinicianRole.ON_CALL),
            ("sam", organisation, ClinicianRole.CLINICAL_SUPERVISOR),
            ("erin", elsewhere, ClinicianRole.THERAPIST),
        )
    }
    administrator = Administrator(user=_user("ada", Role.ADMINISTRATOR), organisation=organisation)
    people = People(
        organisation=organisation,
        patient=patients["alice"],
        other_patient=patients["andrea"],
        therapist=clinicians["bob"],
        stranger=clinicians["charlie"],
        on_call=clinicians["dana"],
        supervisor=clinicians["sam"],
        administrator=administrator,
        elsewhere_therapist=clinicians["erin"],
        elsewhere_patient=patients["emil"],
    )
    ties = [
        _tie(people.patient, people.therapist),
        _tie(people.elsewhere_patient, people.elsewhere_therapist),
    ]
    Organisation.objects.bulk_create([organisation, elsewhere])
    staff: list[Clinician | Administrator] = [*clinicians.values(), administrator]
    User.objects.bulk_create([patient.user for patient in patients.values() if patient.user])
    User.objects.bulk_create([one.user for one in staff])
    Patient.objects.bulk_create(patients.values())
    Clinician.objects.bulk_create(clinicians.values())
    Administrator.objects.bulk_create([administrator])
    CareTeamMember.objects.bulk_create(ties)
    return people


def _user(name: str, role: Role, language: str = "en") -> User:
    return User(
        email=f"{name}-{uuid4().hex[:8]}@example.org",
        password=password_hash(),
        role=role.value,
        language=language,
    )


def _organisation(name: str, /, **values: object) -> Organisation:
    return Organisation(
        **{"name": name, "country": "US", "time_zone": "America/New_York", **values}
    )


def _clinician(
    organisation: Organisation, user: User, name: str, *roles: ClinicianRole
) -> Clinician:
    return Clinician(
        organisation=organisation,
        user=user,
        display_name=name.title(),
        roles=[role.value for role in roles or (ClinicianRole.THERAPIST,)],
    )


def _patient(organisation: Organisation, user: User, name: str, /, **values: object) -> Patient:
    return Patient(
        **{
            "organisation": organisation,
            "user": user,
            "given_name": name.title(),
            "family_name": "Doe",
            "born_on": date(1990, 5, 17),
            "country": organisation.country,
            "time_zone": organisation.time_zone,
            "enrolled_at": ENROLLED_AT,
            **values,
        }
    )


def _tie(patient: Patient, clinician: Clinician) -> CareTeamMember:
    return CareTeamMember(
        patient=patient,
        clinician=clinician,
        role=ClinicianRole.THERAPIST,
        started_on=date(2025, 1, 6),
    )


def _saved(row: Row) -> Row:
    row.save(force_insert=True)
    return row
