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
from uuid import uuid4

from django.contrib.auth.hashers import make_password
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
    return User.objects.create(
        email=f"{name}-{uuid4().hex[:8]}@example.org",
        password=password_hash(),
        role=role.value,
        language=language,
    )


def make_organisation(name: str = "Riverside", **values: object) -> Organisation:
    return Organisation.objects.create(
        **{"name": name, "country": "US", "time_zone": "America/New_York", **values}
    )


def make_clinician(organisation: Organisation, name: str, *roles: ClinicianRole) -> Clinician:
    return Clinician.objects.create(
        organisation=organisation,
        user=make_user(name, Role.CLINICIAN),
        display_name=name.title(),
        roles=[role.value for role in roles or (ClinicianRole.THERAPIST,)],
    )


def make_patient(organisation: Organisation, name: str, **values: object) -> Patient:
    return Patient.objects.create(
        **{
            "organisation": organisation,
            "user": make_user(name, Role.PATIENT),
            "given_name": name.title(),
            "family_name": "Doe",
            "born_on": date(1990, 5, 17),
            "country": organisation.country,
            "time_zone": organisation.time_zone,
            "enrolled_at": ENROLLED_AT,
            **values,
        }
    )


def make_tie(patient: Patient, clinician: Clinician) -> CareTeamMember:
    return CareTeamMember.objects.create(
        patient=patient,
        clinician=clinician,
        role=ClinicianRole.THERAPIST,
        started_on=date(2025, 1, 6),
    )


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
    organisation, elsewhere = make_organisation(), make_organisation("Hillside")
    people = People(
        organisation=organisation,
        patient=make_patient(organisation, "alice"),
        other_patient=make_patient(organisation, "andrea"),
        therapist=make_clinician(organisation, "bob"),
        stranger=make_clinician(organisation, "charlie"),
        on_call=make_clinician(organisation, "dana", ClinicianRole.ON_CALL),
        supervisor=make_clinician(organisation, "sam", ClinicianRole.CLINICAL_SUPERVISOR),
        administrator=Administrator.objects.create(
            user=make_user("ada", Role.ADMINISTRATOR), organisation=organisation
        ),
        elsewhere_therapist=make_clinician(elsewhere, "erin"),
        elsewhere_patient=make_patient(elsewhere, "emil"),
    )
    make_tie(people.patient, people.therapist)
    make_tie(people.elsewhere_patient, people.elsewhere_therapist)
    return people
