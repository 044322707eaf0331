"""The people of the ingest bench: patients with a phone, a therapist, a history and an open alert.

Everyone's ids and tokens follow from a number, so that a load client, Django and a script of
pgbench's can name the same person without asking.
"""

from __future__ import annotations

import bench.environment  # noqa: F401 - loads Django, so it comes first

# isort: split
import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

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
    PatientKey,
    User,
)
from backend.accounts.patient_keys import key_ring
from backend.aftercare.models import Alert
from backend.notifications.models import Heartbeat
from backend.sealing import new_key

ORGANISATION, USER, PATIENT, TOKEN, TIE, ALERT = 0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5
STAFF, CLINICIAN, STAFF_PHONE, PHONE = 0xB0, 0xB1, 0xB2, 0xB3
PER_THERAPIST = 25
HISTORY_DAYS, HISTORY_ENDS_DAYS_AGO = 30, 40
_LONG = timedelta(days=3650)
_HISTORY = """
INSERT INTO tracking_checkin (id, patient_id, kind, source, local_date, recorded_at,
    utc_offset_minutes, time_zone, received_at, is_late, content_digest, revision, mood, craving,
    confidence, sleep_hours, exercise_kind, use_substances, withdrawal_substances,
    withdrawal_symptoms, not_safe, cues, helped, note, note_shared)
SELECT gen_random_uuid(), id, 'daily', 'app', at::date, at, -300, '', at, false,
       sha256(id::text::bytea), 1, 6, 3, 7, 7, '', '{}', '{}', '{}', false, '{}', '{}', '', false
  FROM generate_series(1, %(days)s) AS day,
       LATERAL (SELECT now() - (%(gap)s + %(days)s - day) * interval '1 day' AS at) AS moment,
       accounts_patient
 ORDER BY day
"""


def id_of(kind: int, number: int) -> UUID:
    """The id of the person, tie or thing with that number."""
    return UUID(f"{kind:08x}00004000{0x8000:04x}{number:012x}")


def token_of(number: int) -> str:
    """What that patient's phone signs requests with."""
    return f"bench-token-{number}"


def therapist_of(number: int, people: int) -> int:
    """The number of the therapist whom that patient sees."""
    return number % therapists(people) + 1


def therapists(people: int) -> int:
    return max(people // PER_THERAPIST, 1)


def fill(people: int) -> None:
    """Stores them all, numbered from 1, by ordinary means."""
    now = datetime.now(UTC)
    organisation = Organisation.objects.create(
        id=id_of(ORGANISATION, 1), name="Bench", country="US", time_zone="America/New_York"
    )
    _add_staff(organisation, therapists(people), now)
    numbers = range(1, people + 1)
    User.objects.bulk_create(_user(USER, n, Role.PATIENT) for n in numbers)
    Device.objects.bulk_create(_phone(PHONE, USER, n, now) for n in numbers)
    AccessToken.objects.bulk_create(
        AccessToken(
            id=id_of(TOKEN, n),
            user_id=id_of(USER, n),
            device_id=id_of(PHONE, n),
            token_hash=hashlib.sha256(token_of(n).encode()).digest(),
            expires_at=now + _LONG,
        )
        for n in numbers
    )
    Patient.objects.bulk_create(_patient(organisation, n, now) for n in numbers)
    CareTeamMember.objects.bulk_create(_tie(n, people, now) for n in numbers)
    Alert.objects.bulk_create(_alert(n, people, now) for n in numbers)
    # Everybody has written a note before.
    PatientKey.objects.bulk_create(_key(n, now) for n in numbers)
    with connection.cursor() as cursor:
        cursor.execute(_HISTORY, {"days": HISTORY_DAYS, "gap": HISTORY_ENDS_DAYS_AGO})
        cursor.execute("ANALYZE")
    # Somebody delivers: what is promised to a person depends on it.
    Heartbeat.objects.create(process="bench", beat_at=now + timedelta(days=1))
    connection.close()


def _add_staff(organisation: Organisation, count: int, now: datetime) -> None:
    numbers = range(1, count + 1)
    User.objects.bulk_create(_user(STAFF, n, Role.CLINICIAN) for n in numbers)
    Device.objects.bulk_create(_phone(STAFF_PHONE, STAFF, n, now) for n in numbers)
    Clinician.objects.bulk_create(
        Clinician(
            id=id_of(CLINICIAN, n),
            organisation=organisation,
            user_id=id_of(STAFF, n),
            display_name=f"Therapist {n}",
            roles=[ClinicianRole.THERAPIST.value],
        )
        for n in numbers
    )


def _user(kind: int, number: int, role: Role) -> User:
    email = f"{role.value}-{number}@example.org"
    return User(id=id_of(kind, number), email=email, password="!", role=role.value)


def _phone(kind: int, owner: int, number: int, now: datetime) -> Device:
    return Device(
        id=id_of(kind, number),
        installation_id=id_of(kind, number),
        user_id=id_of(owner, number),
        push_target=f"bench-{owner}-{number}",
        target_kind="token",
        platform="android",
        registered_at=now,
    )


def _patient(organisation: Organisation, number: int, now: datetime) -> Patient:
    return Patient(
        id=id_of(PATIENT, number),
        organisation=organisation,
        user_id=id_of(USER, number),
        given_name=f"Person {number}",
        country="US",
        time_zone="America/New_York",
        external_ref=f"bench-{number}",
        enrolled_at=now - timedelta(days=120),
    )


def _key(number: int, now: datetime) -> PatientKey:
    ring, owner = key_ring(), id_of(PATIENT, number)
    wrapped = ring.wrap(new_key(), owner=owner.bytes)
    return PatientKey(patient_id=owner, key_id=ring.current, wrapped=wrapped, made_at=now)


def _tie(number: int, people: int, now: datetime) -> CareTeamMember:
    return CareTeamMember(
        id=id_of(TIE, number),
        patient_id=id_of(PATIENT, number),
        clinician_id=id_of(CLINICIAN, therapist_of(number, people)),
        role=ClinicianRole.THERAPIST.value,
        started_on=now.date() - timedelta(days=120),
    )


def _alert(number: int, people: int, now: datetime) -> Alert:
    """An open one, which acute check-ins renew: so each acute request does the same work."""
    on = now.date() - timedelta(days=1)
    facts = {"rule": "craving", "severity": "high", "facts": {"value": 9}, "on": on.isoformat()}
    return Alert(
        id=id_of(ALERT, number),
        patient_id=id_of(PATIENT, number),
        condition="craving",
        severity="high",
        reasons=[facts],
        opened_at=now - timedelta(days=1),
        evidence_at=now - timedelta(days=1),
        due_at=now,
        ladder=[[str(id_of(STAFF, therapist_of(number, people)))]],
        first_on=on,
        last_on=on,
    )
