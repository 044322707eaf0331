"""Row-level security: whatever a statement asks for, it is answered within the actor's rows."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from datetime import date, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from backend.accounts.access import Scope, visible_patients
from backend.accounts.actor import Actor, Role
from backend.accounts.models import (
    Administrator,
    CareTeamMember,
    Clinician,
    ClinicianRole,
    Organisation,
    Patient,
    User,
)
from backend.row_security import Acting, acting_as
from backend.tracking.models import PackedWindow
from tests.dashboard.browsing import raise_alert
from tests.people import People, make_device, make_organisation, make_user
from tests.phones import Phone, check_in_body
from tests.privacy.covered import covered_tables

INJECTED = "nobody' OR 1=1 --"


def patient_acts(patient: Patient) -> Acting:
    return Acting("patient", patient.user_id, patient.pk)


def acts(user: User) -> Acting:
    return Acting(user.role, user.pk)


def ids(sql: str) -> set[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return {row[0] for row in cursor.fetchall()}


# Nobody -----------------------------------------------------------------------------------------


@pytest.fixture
def busy(committed_db: None, people: People) -> People:
    """Two patients with check-ins, an alert each, messages and phones."""
    for patient in (people.patient, people.other_patient, people.elsewhere_patient):
        assert patient.user is not None
        make_device(patient.user)
        raise_alert(patient, craving=10)
        PackedWindow.objects.create(patient=patient, last_on=date(2026, 1, 1), days=b"days")
    return people


@pytest.mark.parametrize("variable", ["DATABASE_URL", "DATABASE_WORKER_URL"])
def test_who_names_nobody_is_shown_nothing(busy: People, variable: str) -> None:
    filled = set()
    with psycopg.connect(os.environ[variable]) as session:
        for table in covered_tables():
            count = f"SELECT count(*) FROM {table}".encode()
            assert session.execute(count).fetchone() == (0,), table
            session.execute("SELECT set_config('handrail.role', 'system', true)")
            if session.execute(count).fetchone() != (0,):
                filled.add(table)
            session.rollback()
    assert filled >= {
        "accounts_patient", "accounts_careteammember", "accounts_device", "accounts_auditevent",
        "tracking_checkin", "tracking_assessmentrequest", "tracking_packedwindow",
        "aftercare_alert", "aftercare_alertevidence", "notifications_notification",
    }  # fmt: skip


def test_a_worker_that_claims_to_be_a_person_is_shown_nothing(busy: People) -> None:
    with psycopg.connect(os.environ["DATABASE_WORKER_URL"]) as session:
        session.execute(patient_acts(busy.patient).statements)
        for table in covered_tables():
            found = session.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
            assert found == (0,), table


# Injected ---------------------------------------------------------------------------------------


def test_an_injected_condition_stays_within_a_patients_rows(busy: People) -> None:
    everyone = ids(f"SELECT id FROM accounts_patient WHERE given_name = '{INJECTED}'")
    assert len(everyone) == 3
    with acting_as(patient_acts(busy.patient)):
        assert ids(f"SELECT id FROM accounts_patient WHERE given_name = '{INJECTED}'") == {
            busy.patient.pk
        }
        tables = ("tracking_checkin", "aftercare_alert", "tracking_assessmentrequest")
        for table in (*tables, "tracking_packedwindow"):
            found = ids(f"SELECT patient_id FROM {table} WHERE patient_id::text = '{INJECTED}'")
            assert found == {busy.patient.pk}, table
        assert ids(
            f"SELECT DISTINCT patient_id FROM accounts_auditevent WHERE action = '{INJECTED}'"
        ) == {busy.patient.pk}
        # In evidence, by way of the alert.
        through = ids(
            f"SELECT alert_id FROM aftercare_alertevidence WHERE rules::text = '{INJECTED}'"
        )
        assert through == ids("SELECT id FROM aftercare_alert")


def test_an_injected_condition_stays_within_a_clinicians_patients(busy: People) -> None:
    with acting_as(acts(busy.therapist.user)):
        found = ids(f"SELECT id FROM accounts_patient WHERE given_name = '{INJECTED}'")
        assert found == {busy.patient.pk}
        assert ids("SELECT patient_id FROM tracking_checkin") == {busy.patient.pk}
        assert ids("SELECT patient_id FROM tracking_packedwindow") == {busy.patient.pk}
    with acting_as(acts(busy.supervisor.user)):
        both = {busy.patient.pk, busy.other_patient.pk}
        assert ids(f"SELECT id FROM accounts_patient WHERE given_name = '{INJECTED}'") == both
        assert ids("SELECT patient_id FROM tracking_checkin") == both
        assert ids("SELECT patient_id FROM tracking_packedwindow") == both
    with acting_as(acts(busy.stranger.user)):
        assert ids(f"SELECT id FROM accounts_patient WHERE given_name = '{INJECTED}'") == set()
        assert ids("SELECT patient_id FROM tracking_checkin") == set()
        assert ids("SELECT patient_id FROM tracking_packedwindow") == set()


def test_administrators_see_who_is_there_and_nothing_that_was_recorded(busy: People) -> None:
    with acting_as(acts(busy.administrator.user)):
        assert ids("SELECT id FROM accounts_patient") == {busy.patient.pk, busy.other_patient.pk}
        assert ids("SELECT patient_id FROM accounts_careteammember") == {busy.patient.pk}
        for table in ("tracking_checkin", "aftercare_alert", "notifications_notification"):
            assert ids(f"SELECT patient_id FROM {table}") == set(), table


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE accounts_patient SET given_name = 'X' WHERE given_name = '{}'",
        "UPDATE tracking_checkin SET mood = 1 WHERE note = '{}'",
        "DELETE FROM tracking_assessmentrequest WHERE patient_id::text = '{}'",
        "DELETE FROM accounts_device WHERE push_target = '{}'",
    ],
)
def test_an_injected_change_reaches_ones_own_rows_alone(busy: People, change: str) -> None:
    with acting_as(patient_acts(busy.patient)), connection.cursor() as cursor:
        cursor.execute(change.format(INJECTED))
        assert cursor.rowcount == 1


WRITES = {
    "a check-in for another": "INSERT INTO tracking_assessmentrequest"
    " (patient_id, requested_at, generation, assess_from, attempts)"
    " VALUES ('{other}', now(), 1, now(), 0)",
    "one's own check-in to another": "UPDATE tracking_checkin SET patient_id = '{other}'",
    "an act in another's name": "INSERT INTO accounts_auditevent (at, action, actor_id, actor_role,"
    " actor_name, request_id, object_kind, object_id, was_allowed, facts)"
    " VALUES (now(), 'x', '{other_user}', 'patient', '', '', '', '', true, '{{}}')",
    "a phone to another": "UPDATE accounts_device SET user_id = '{other_user}'",
}


@pytest.mark.parametrize("written", WRITES.values(), ids=WRITES.keys())
def test_nothing_is_written_into_anothers_rows(busy: People, written: str) -> None:
    other = busy.other_patient
    sql = written.format(other=other.pk, other_user=other.user_id)
    with (
        acting_as(patient_acts(busy.patient)),
        pytest.raises(DatabaseError, match="row-level security policy"),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)


def test_the_acts_of_others_on_ones_own_data_are_shown_and_their_other_acts_are_not(
    busy: People,
) -> None:
    therapist = Phone.of(busy.therapist.user)
    assert therapist.get(f"/patients/{busy.patient.pk}/trends").status_code == 200
    supervisor = Phone.of(busy.supervisor.user)
    assert supervisor.get(f"/patients/{busy.other_patient.pk}/trends").status_code == 200
    with acting_as(patient_acts(busy.patient)):
        assert busy.therapist.user_id in ids("SELECT actor_id FROM accounts_auditevent")
        assert busy.supervisor.user_id not in ids("SELECT actor_id FROM accounts_auditevent")
    with acting_as(acts(busy.therapist.user)):
        assert ids("SELECT actor_id FROM accounts_auditevent") == {busy.therapist.user_id}


# A tie that ends ------------------------------------------------------------------------------


def test_a_tie_that_has_ended_shows_nothing_from_the_next_statement_on(people: People) -> None:
    tie = CareTeamMember.objects.filter(patient=people.patient)
    with acting_as(acts(people.therapist.user)):
        assert ids("SELECT id FROM accounts_patient") == {people.patient.pk}
    tie.update(ended_on=timezone.now().date())
    with acting_as(acts(people.therapist.user)):
        assert ids("SELECT id FROM accounts_patient") == set()
        assert ids("SELECT patient_id FROM tracking_checkin") == set()


# Grants ---------------------------------------------------------------------------------------

GRANTS = 10_000
ROLE_SETS: tuple[list[ClinicianRole], ...] = (
    [ClinicianRole.THERAPIST], [ClinicianRole.CASE_MANAGER], [ClinicianRole.ON_CALL],
    [ClinicianRole.CLINICAL_SUPERVISOR], [ClinicianRole.THERAPIST, ClinicianRole.ON_CALL],
    [ClinicianRole.THERAPIST, ClinicianRole.CASE_MANAGER], [],
)  # fmt: skip


@pytest.fixture
def granted(db: None) -> Iterator[random.Random]:
    """Three organisations, 300 patients, 70 clinicians, and ties of every age between them all."""
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 - shown where the test fails
    chance = random.Random(seed)
    organisations = [make_organisation(f"Organisation {number}") for number in range(3)]
    users = [make_user(f"p{number}", Role.PATIENT) for number in range(300)]
    patients = Patient.objects.bulk_create(
        Patient(organisation=chance.choice(organisations), user=user, given_name="P", country="US")
        for user in users
    )
    clinicians = Clinician.objects.bulk_create(
        Clinician(
            organisation=chance.choice(organisations),
            user=make_user(f"c{number}", Role.CLINICIAN),
            display_name="C",
            roles=[role.value for role in chance.choice(ROLE_SETS)],
        )
        for number in range(70)
    )
    for organisation in organisations:
        Administrator.objects.create(
            user=make_user("a", Role.ADMINISTRATOR), organisation=organisation
        )
    CareTeamMember.objects.bulk_create(_ties(chance, patients, clinicians))
    assert CareTeamMember.objects.count() == GRANTS
    yield chance


def _ties(
    chance: random.Random, patients: list[Patient], clinicians: list[Clinician]
) -> Iterator[CareTeamMember]:
    today, standing = timezone.now().date(), set()
    for _ in range(GRANTS):
        patient, clinician = chance.choice(patients), chance.choice(clinicians)
        started = today + timedelta(days=chance.choice((-400, -30, -1, 0, 1, 30)))
        ended: date | None = started + timedelta(days=chance.choice((0, 1, 30, 60, 400)))
        if (patient.pk, clinician.pk) not in standing and chance.random() < 0.1:
            standing.add((patient.pk, clinician.pk))
            ended = None
        yield CareTeamMember(
            patient=patient,
            clinician=clinician,
            role=ClinicianRole.THERAPIST,
            started_on=started,
            ended_on=ended,
        )


def test_both_locks_show_the_same_patients(granted: random.Random) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO tracking_assessmentrequest"
            " (patient_id, requested_at, generation, assess_from, attempts)"
            " SELECT id, now(), 1, now(), 0 FROM accounts_patient"
        )
    sizes = set()
    for user in User.objects.all():
        actor = Actor(user_id=user.pk, role=Role(user.role))
        is_office = actor.role is Role.ADMINISTRATOR
        scope = Scope.ADMINISTRATIVE if is_office else Scope.CLINICAL
        expected = set(visible_patients(actor, scope=scope).values_list("pk", flat=True))
        own = Patient.objects.filter(user=user).first()
        with acting_as(Acting(user.role, user.pk, own.pk if own else None)):
            assert ids("SELECT id FROM accounts_patient") == expected, user.role
            recorded = ids("SELECT patient_id FROM tracking_assessmentrequest")
        assert recorded == (set() if is_office else expected), user.role
        sizes.add(len(expected))
    assert len(sizes) > 10


def test_the_api_shows_what_both_locks_show(granted: random.Random) -> None:
    for clinician in granted.sample(list(Clinician.objects.select_related("user")), 12):
        with acting_as(acts(clinician.user)):
            expected = {str(patient_id) for patient_id in ids("SELECT id FROM accounts_patient")}
        answer = Phone.of(clinician.user).get("/patients")
        assert {line["patient_id"] for line in answer.json()["results"]} == expected


# Ids that are in use -------------------------------------------------------------------------


def test_an_id_that_is_somebody_elses_is_a_conflict_without_a_copy(
    people: People, phone: Phone
) -> None:
    assert people.other_patient.user is not None
    body = check_in_body(mood=6, note="mine alone")
    assert Phone.of(people.other_patient.user).post("/check-ins", body).status_code == 201
    for path, sent in (
        ("/check-ins", body),
        (
            "/sync",
            {"cursor": None, "changes": [{"type": "check_in", "op": "create", "item": body}]},
        ),
    ):
        answer = phone.post(path, sent)
        assert "mine alone" not in answer.content.decode()
        assert b"id_in_use" in answer.content or b"malformed" in answer.content


def test_a_patient_of_another_organisation_is_not_told_of_by_their_id(people: People) -> None:
    office = Phone.of(people.administrator.user)
    body = {"id": str(people.elsewhere_patient.pk), "given_name": "Zed"}
    answer = office.post("/patients", body)
    assert (answer.status_code, answer.json()["code"]) == (409, "id_conflict")
    assert "stored" not in answer.json()


# Who acts in a request ----------------------------------------------------------------------


def test_a_request_leaves_nobody_acting(people: People, phone: Phone) -> None:
    with acting_as(None):
        assert phone.get("/check-ins").status_code == 200
        assert phone.get("/check-ins/unknown").status_code == 404
        assert Patient.objects.count() == 0
        assert not Organisation.objects.none().exists()


def test_within_one_transaction_each_acts_as_themselves(people: People) -> None:
    with transaction.atomic():
        with acting_as(patient_acts(people.patient)):
            assert Patient.objects.count() == 1
            with acting_as(None):
                assert Patient.objects.count() == 0
            assert Patient.objects.count() == 1
        assert Patient.objects.count() == 3


def test_what_a_savepoint_took_back_is_told_again(people: People) -> None:
    class Undone(Exception):
        pass

    with transaction.atomic():
        assert Patient.objects.count() == 3
        with acting_as(patient_acts(people.patient)):
            with pytest.raises(Undone), transaction.atomic():
                assert Patient.objects.count() == 1
                raise Undone
            assert Patient.objects.count() == 1
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1/0")
        assert Patient.objects.count() == 3


@pytest.mark.parametrize(
    "values",
    [
        ("patient'; DROP TABLE accounts_patient; --",),
        ("Patient",),
        ("patient", "00000000-0000-4000-8000-000000000000'"),
        ("patient", uuid4(), "x"),
    ],
)
def test_what_is_told_is_made_of_words_and_ids_alone(values: tuple[object, ...]) -> None:
    with pytest.raises(ValueError, match="is a"):
        Acting(*values)  # type: ignore[arg-type]
