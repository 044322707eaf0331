"""Who opens more patients' records within an hour than is usual is flagged once for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import time_machine

from backend.accounts import audit
from backend.accounts.actor import Actor, Role
from backend.accounts.models import Administrator, AuditEvent, User
from backend.privacy.models import MassRead
from backend.privacy.services import find_mass_reads
from backend.privacy.thresholds import patients_an_hour
from tests.accounts.threads import at_once
from tests.people import People, actor_for, make_user
from tests.phones import Phone
from tests.privacy.conftest import connected_as

NOW = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
ALLOWED = 5


def read(
    user: User,
    count: int,
    *,
    minutes_ago: float = 10,
    action: str = "patient.read",
    patients: list[UUID] | None = None,
    now: datetime = NOW,
) -> list[UUID]:
    """Opens so many patients' records, each twice."""
    ids = patients or [uuid4() for _ in range(count)]
    with time_machine.travel(now - timedelta(minutes=minutes_ago), tick=False):
        for patient_id in (*ids, *ids):
            audit.record(actor=actor_for(user), action=action, patient_id=patient_id)
    return ids


def find(now: datetime = NOW) -> int:
    return find_mass_reads(now=now, allowed=ALLOWED)


@pytest.fixture
def staff(as_worker: None, people: People) -> People:
    return people


def test_one_more_than_allowed_is_flagged(staff: People) -> None:
    read(staff.therapist.user, ALLOWED)
    assert find() == 0
    read(staff.therapist.user, 1)
    assert find() == 1
    row = MassRead.objects.get()
    assert (row.reader, row.organisation) == (staff.therapist.user, staff.organisation)
    assert (row.patients, row.allowed, row.reader_role) == (6, ALLOWED, "clinician")
    assert row.last_read_at == NOW - timedelta(minutes=10)


def test_it_is_audited(staff: People) -> None:
    read(staff.therapist.user, 6)
    find()
    event = AuditEvent.objects.get(action="mass_read.find")
    assert (event.actor_name, event.object_id) == (
        "find_mass_reads",
        str(MassRead.objects.get().pk),
    )
    assert event.facts == {"reader": str(staff.therapist.user_id), "patients": 6}


def test_once_for_a_person_and_hour_and_the_row_grows(staff: People) -> None:
    read(staff.therapist.user, 6)
    assert find() == 1
    read(staff.therapist.user, 4, minutes_ago=5)
    assert [find(NOW + timedelta(minutes=minutes)) for minutes in (0, 1, 45)] == [0, 0, 0]
    assert MassRead.objects.get().patients == 10
    assert AuditEvent.objects.filter(action="mass_read.find").count() == 1


def test_a_turn_of_the_clock_hides_nobody_and_doubles_nobody(staff: People) -> None:
    """Half of it before eleven and half after."""
    eleven = NOW + timedelta(minutes=30)
    read(staff.therapist.user, 3, minutes_ago=5, now=eleven)
    read(staff.therapist.user, 3, minutes_ago=-5, now=eleven)
    assert find(eleven) == 0
    assert find(eleven + timedelta(minutes=6)) == 1
    assert find(eleven + timedelta(minutes=20)) == 0
    assert MassRead.objects.count() == 1


def test_the_next_hour_is_another(staff: People) -> None:
    read(staff.therapist.user, 6)
    assert find() == 1
    later = NOW + timedelta(hours=2)
    assert find(later) == 0
    read(staff.therapist.user, 6, now=later)
    assert find(later) == 1


def test_what_is_no_mass_read(staff: People) -> None:
    read(staff.therapist.user, 6, minutes_ago=61)
    same = read(staff.on_call.user, 3)
    read(staff.on_call.user, 0, patients=same, action="trends.read")
    read(staff.supervisor.user, 9, action="alert.acknowledged")
    read(staff.patient_user, 9)
    with time_machine.travel(NOW, tick=False):
        for patient_id in [uuid4() for _ in range(9)]:
            audit.record_denial(
                actor=actor_for(staff.stranger.user), action="x.read", patient_id=patient_id
            )
            audit.record(actor=Actor.system("assess_due"), action="x.read", patient_id=patient_id)
    assert find() == 0


@pytest.mark.parametrize("action", ["fhir.search", "fhir.everything", "audit.read"])
def test_an_administrator_and_every_way_to_read_count(staff: People, action: str) -> None:
    read(staff.administrator.user, 6, action=action)
    assert find() == 1
    assert MassRead.objects.get().reader_role == "administrator"


def test_many_sweeps_at_once_flag_once(staff: People) -> None:
    read(staff.therapist.user, 6)
    assert sorted(at_once([find] * 6)) == [0, 0, 0, 0, 0, 1]
    assert MassRead.objects.count() == 1


def test_the_number_comes_from_the_data(staff: People) -> None:
    read(staff.therapist.user, patients_an_hour() + 1)
    read(staff.on_call.user, patients_an_hour())
    assert find_mass_reads(now=NOW) == 1
    assert MassRead.objects.get().allowed == patients_an_hour() == 50


def test_the_organisations_administrators_read_the_list(staff: People) -> None:
    read(staff.therapist.user, 6)
    read(staff.elsewhere_therapist.user, 7)
    assert find() == 2
    with connected_as("DATABASE_URL"):
        _administrators_read_their_own(staff)


def _administrators_read_their_own(staff: People) -> None:
    (shown,) = Phone.of(staff.administrator.user).get("/mass-reads").json()["results"]
    assert (shown["reader"], shown["role"], shown["patients"]) == ("Bob", "clinician", 6)
    assert AuditEvent.objects.filter(action="mass_reads.read").count() == 1
    elsewhere = Administrator.objects.create(
        user=make_user("abe", Role.ADMINISTRATOR),
        organisation=staff.elsewhere_patient.organisation,
    )
    (shown,) = Phone.of(elsewhere.user).get("/mass-reads").json()["results"]
    assert shown["reader"] == "Erin"


def test_nobody_else_reads_the_list(people: People) -> None:
    for user in (people.patient_user, people.therapist.user, people.supervisor.user):
        assert Phone.of(user).get("/mass-reads").status_code == 403
    assert Phone().get("/mass-reads").status_code == 401


def test_the_list_comes_in_pages(staff: People) -> None:
    for clinician in (staff.therapist, staff.on_call, staff.supervisor):
        read(clinician.user, 6)
    assert find() == 3
    office, seen, query = Phone.of(staff.administrator.user), [], "?limit=1"
    while query:
        with connected_as("DATABASE_URL"):
            answer = office.get(f"/mass-reads{query}").json()
        seen += [row["id"] for row in answer["results"]]
        cursor = answer["next_cursor"]
        query = f"?limit=1&cursor={cursor}" if cursor else ""
    assert len(seen) == len(set(seen)) == 3
