"""Stores the people of the fault bench; run inside the copy of the project that is broken."""

from __future__ import annotations

import bench.environment  # noqa: F401 - loads Django, so it comes first

# isort: split
import hashlib
import sys
from datetime import UTC, datetime, timedelta

from django.db import connection

from backend.accounts.actor import Role
from backend.accounts.models import (
    AccessToken,
    CareTeamMember,
    Clinician,
    ClinicianRole,
    Device,
    Organisation,
    Patient,
    User,
)
from bench.faults import naming
from bench.faults.naming import id_of

_LONG = timedelta(days=3650)
_ZONE = "America/New_York"


def fill(people: int) -> None:
    """Patients with one phone or two, their therapists, somebody on call and a supervisor."""
    now = datetime.now(UTC)
    numbers = range(1, people + 1)
    organisation = Organisation.objects.create(
        id=id_of(naming.ORGANISATION, 1), name="Bench", country="US", time_zone=_ZONE
    )
    therapists = range(1, naming.therapists(people) + 1)
    staff = {
        **dict.fromkeys(therapists, ClinicianRole.THERAPIST),
        naming.ON_CALL: ClinicianRole.ON_CALL,
        naming.SUPERVISOR: ClinicianRole.CLINICAL_SUPERVISOR,
    }
    User.objects.bulk_create(_user(naming.STAFF, n, Role.CLINICIAN) for n in staff)
    User.objects.bulk_create(_user(naming.USER, n, Role.PATIENT) for n in numbers)
    Clinician.objects.bulk_create(
        Clinician(
            id=id_of(naming.CLINICIAN, n),
            organisation=organisation,
            user_id=id_of(naming.STAFF, n),
            display_name=f"Clinician {n}",
            roles=[role.value],
        )
        for n, role in staff.items()
    )
    Device.objects.bulk_create(
        [
            *(_phone(naming.STAFF_PHONE, naming.STAFF, n, now) for n in staff),
            *(_phone(naming.PHONE, naming.USER, n, now) for n in numbers),
            *(
                _phone(naming.SECOND_PHONE, naming.USER, n, now)
                for n in numbers
                if naming.has_second_phone(n)
            ),
        ]
    )
    AccessToken.objects.bulk_create(_token(n, now) for n in numbers)
    Patient.objects.bulk_create(_patient(organisation, n, now) for n in numbers)
    CareTeamMember.objects.bulk_create(_tie(n, people, now) for n in numbers)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _user(kind: int, number: int, role: Role) -> User:
    email = f"{role.value}-{number}@example.org"
    return User(id=id_of(kind, number), email=email, password="!", role=role.value)


def _phone(kind: int, owner: int, number: int, now: datetime) -> Device:
    return Device(
        id=id_of(kind, number),
        installation_id=id_of(kind, number),
        user_id=id_of(owner, number),
        push_target=naming.target_of(kind, number),
        target_kind="token",
        platform="android",
        registered_at=now,
    )


def _token(number: int, now: datetime) -> AccessToken:
    return AccessToken(
        id=id_of(naming.TOKEN, number),
        user_id=id_of(naming.USER, number),
        device_id=id_of(naming.PHONE, number),
        token_hash=hashlib.sha256(naming.token_of(number).encode()).digest(),
        expires_at=now + _LONG,
    )


def _patient(organisation: Organisation, number: int, now: datetime) -> Patient:
    return Patient(
        id=id_of(naming.PATIENT, number),
        organisation=organisation,
        user_id=id_of(naming.USER, number),
        given_name=f"Person {number}",
        country="US",
        time_zone=_ZONE,
        external_ref=f"faults-{number}",
        enrolled_at=now - timedelta(days=120),
    )


def _tie(number: int, people: int, now: datetime) -> CareTeamMember:
    return CareTeamMember(
        id=id_of(naming.TIE, number),
        patient_id=id_of(naming.PATIENT, number),
        clinician_id=id_of(naming.CLINICIAN, naming.therapist_of(number, people)),
        role=ClinicianRole.THERAPIST.value,
        started_on=now.date() - timedelta(days=120),
    )


if __name__ == "__main__":
    fill(int(sys.argv[1]))
