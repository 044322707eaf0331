"""Who may see whom. The expected answers are written down, not worked out by the code."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from backend import errors
from backend.accounts import services
from backend.accounts.access import (
    Scope,
    access_clinician,
    access_own_patient,
    access_patient,
    visible_patients,
)
from backend.accounts.actor import Actor, Role
from backend.accounts.models import (
    AuditEvent,
    CareTeamMember,
    ClinicianRole,
    Organisation,
    Patient,
    User,
)
from backend.accounts.selectors import clinicians_for
from backend.aftercare.ladder import care_team
from tests.contract.calls import Answer
from tests.people import People, actor_for, make_clinician, make_tie, make_user
from tests.phones import Phone

SYSTEM = Actor.system("test")
ALL = ("patient", "other_patient", "elsewhere_patient")
HERE = ("patient", "other_patient")
NONE: tuple[str, ...] = ()

# Who: whom they see clinically, whom administratively.
MATRIX = {
    "patient": (("patient",), ("patient",)),
    "other_patient": (("other_patient",), ("other_patient",)),
    "elsewhere_patient": (("elsewhere_patient",), ("elsewhere_patient",)),
    "therapist": (("patient",), ("patient",)),
    "stranger": (NONE, NONE),
    "on_call": (HERE, HERE),
    "supervisor": (HERE, HERE),
    "administrator": (NONE, HERE),
    "elsewhere_therapist": (("elsewhere_patient",), ("elsewhere_patient",)),
    "operator": (NONE, NONE),
    "system": (ALL, ALL),
}


def caseload(answer: Answer) -> set[str]:
    return {line["patient_id"] for line in answer.json()["results"]}


def actor_named(people: People, who: str) -> Actor:
    if who == "system":
        return SYSTEM
    if who == "operator":
        return actor_for(make_user("olga", Role.OPERATOR))
    return actor_for(getattr(people, who).user)


def names(people: People, patients: Iterable[Patient]) -> set[str]:
    seen = {patient.pk for patient in patients}
    return {name for name in ALL if getattr(people, name).pk in seen}


@pytest.mark.parametrize("scope", list(Scope))
@pytest.mark.parametrize("who", MATRIX)
def test_the_list_of_patients(people: People, who: str, scope: Scope) -> None:
    expected = MATRIX[who][list(Scope).index(scope)]
    found = visible_patients(actor_named(people, who), scope=scope)
    assert names(people, found) == set(expected)
    assert found.count() == len(expected)


@pytest.mark.parametrize("whom", ALL)
@pytest.mark.parametrize("scope", list(Scope))
@pytest.mark.parametrize("who", MATRIX)
def test_the_one_door(people: People, who: str, scope: Scope, whom: str) -> None:
    actor, patient = actor_named(people, who), getattr(people, whom)
    if whom in MATRIX[who][list(Scope).index(scope)]:
        assert access_patient(actor, patient.pk, scope=scope) == patient
        return
    with pytest.raises(errors.NotFound) as refused:
        access_patient(actor, patient.pk, scope=scope)
    with pytest.raises(errors.NotFound) as unknown:
        access_patient(actor, uuid4(), scope=scope)
    assert (refused.value.code, refused.value.detail) == (unknown.value.code, unknown.value.detail)


def test_every_one_of_our_people_is_in_the_matrix(people: People) -> None:
    assert set(vars(people)) - {"organisation"} <= set(MATRIX)
    assert {role.value for role in Role} >= {"operator", "system"}


@pytest.mark.parametrize("who", ["patient", "therapist", "administrator", "operator"])
def test_a_made_up_role_gets_nothing_more(people: People, who: str) -> None:
    """The account decides and not what a caller says of it."""
    user_id = actor_named(people, who).user_id
    for role in (Role.PATIENT, Role.CLINICIAN, Role.ADMINISTRATOR, Role.OPERATOR):
        found = visible_patients(Actor(user_id=user_id, role=role))
        assert names(people, found) <= set(MATRIX[who][0])


def test_nobody_in_particular_sees_nobody(people: People) -> None:
    Patient.objects.update(user=None)
    for role in (Role.PATIENT, Role.CLINICIAN, Role.ADMINISTRATOR, Role.OPERATOR):
        for scope in Scope:
            assert not visible_patients(Actor(user_id=None, role=role), scope=scope).exists()


# The care team's dates --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("today", "sees"),
    [("2025-02-28", False), ("2025-03-01", True), ("2025-03-09", True), ("2025-03-10", False)],
)
def test_a_tie_holds_from_its_first_day_up_to_its_last(
    people: People, today: str, sees: bool
) -> None:
    CareTeamMember.objects.create(
        patient=people.other_patient,
        clinician=people.stranger,
        role="therapist",
        started_on=date(2025, 3, 1),
        ended_on=date(2025, 3, 10),
    )
    with time_machine.travel(datetime.fromisoformat(f"{today}T12:00:00+00:00"), tick=False):
        found = visible_patients(actor_for(people.stranger.user))
        assert names(people, found) == ({"other_patient"} if sees else set())


def test_a_former_therapist_sees_nothing_more_from_that_day_on(people: People) -> None:
    phone, url = Phone.of(people.therapist.user), f"/patients/{people.patient.pk}/trends"
    assert phone.get(url).status_code == 200
    services.leave_care_team(
        actor=SYSTEM,
        patient=people.patient,
        clinician=people.therapist,
        on=timezone.now().date(),
    )
    assert phone.get(url).status_code == 404
    assert caseload(phone.get("/patients")) == set()


def test_a_therapist_who_comes_back_sees_again(people: People) -> None:
    today, patient, clinician = timezone.now().date(), people.patient, people.therapist
    services.leave_care_team(actor=SYSTEM, patient=patient, clinician=clinician, on=today)
    services.join_care_team(
        actor=SYSTEM, patient=patient, clinician=clinician, role="therapist", on=today
    )
    assert access_patient(actor_for(clinician.user), patient.pk) == patient


def test_joining_twice_is_one_tie(people: People) -> None:
    for _ in range(2):
        services.join_care_team(
            actor=SYSTEM,
            patient=people.other_patient,
            clinician=people.stranger,
            role="therapist",
            on=timezone.now().date(),
        )
    assert people.other_patient.care_team.count() == 1
    assert AuditEvent.objects.filter(action="care_team.join").count() == 1


def test_nobody_joins_the_care_team_of_another_organisation(people: People) -> None:
    with pytest.raises(errors.Invalid):
        services.join_care_team(
            actor=SYSTEM,
            patient=people.patient,
            clinician=people.elsewhere_therapist,
            role="therapist",
            on=timezone.now().date(),
        )
    assert people.patient.care_team.count() == 1


def test_a_tie_left_over_from_a_move_opens_nothing(people: People) -> None:
    """Even a row that should not exist does not reach over to another organisation."""
    make_tie(people.patient, people.elsewhere_therapist)
    found = visible_patients(actor_for(people.elsewhere_therapist.user))
    assert names(people, found) == {"elsewhere_patient"}


def test_an_on_call_clinician_elsewhere_is_not_on_call_here(people: People) -> None:
    organisation = people.elsewhere_patient.organisation
    roles = (ClinicianRole.ON_CALL, ClinicianRole.CLINICAL_SUPERVISOR)
    elsewhere = make_clinician(organisation, "otto", *roles)
    found = visible_patients(actor_for(elsewhere.user))
    assert names(people, found) == {"elsewhere_patient"}


# Oneself ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["therapist", "administrator", "operator", "system"])
def test_only_a_patient_is_a_patient(people: People, who: str) -> None:
    with pytest.raises(errors.Forbidden):
        access_own_patient(actor_named(people, who))


@pytest.mark.parametrize("who", ["patient", "administrator", "operator", "system"])
def test_only_a_clinician_is_a_clinician(people: People, who: str) -> None:
    with pytest.raises(errors.Forbidden):
        access_clinician(actor_named(people, who))


def test_one_finds_oneself(people: People) -> None:
    assert access_own_patient(actor_for(people.patient_user)) == people.patient
    assert access_clinician(actor_for(people.therapist.user)) == people.therapist


# What is left behind ----------------------------------------------------------------------------


def test_a_denial_is_audited_although_everything_rolls_back(
    committed_db: None, people: People
) -> None:
    actor = actor_for(people.stranger.user)
    with pytest.raises(errors.NotFound), transaction.atomic():
        Organisation.objects.create(name="undone", country="US")
        access_patient(actor, people.patient.pk)
    event = AuditEvent.objects.using("audit").get(action="patient.access")
    assert (event.was_allowed, event.actor_id) == (False, actor.user_id)
    assert event.patient_id == people.patient.pk
    assert not Organisation.objects.filter(name="undone").exists()


def test_a_denial_over_http_names_the_request(people: People) -> None:
    answer = Phone.of(people.stranger.user).get(f"/patients/{people.patient.pk}/trends")
    event = AuditEvent.objects.using("audit").get(action="patient.access")
    assert answer.status_code == 404
    assert event.request_id == answer["X-Request-ID"]
    assert event.facts == {"scope": "clinical"}


def test_being_let_in_is_no_denial(people: People) -> None:
    access_patient(actor_for(people.therapist.user), people.patient.pk)
    assert not AuditEvent.objects.using("audit").filter(was_allowed=False).exists()


# Lists ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "status", "expected"),
    [
        ("therapist", 200, {"patient"}),
        ("stranger", 200, set()),
        ("on_call", 200, {"patient", "other_patient"}),
        ("elsewhere_therapist", 200, {"elsewhere_patient"}),
        ("patient", 403, None),
        ("administrator", 403, None),
    ],
)
def test_the_caseload_over_http(
    people: People, who: str, status: int, expected: set[str] | None
) -> None:
    answer = Phone.of(getattr(people, who).user).get("/patients")
    assert answer.status_code == status
    if expected is not None:
        assert caseload(answer) == {str(getattr(people, name).pk) for name in expected}


def on_team(people: People, on: date) -> list[UUID]:
    return [one.user_id for one in care_team(clinicians_for(people.patient, on=on))]


def test_the_care_team_lists_therapists_first_and_nobody_who_left(people: People) -> None:
    aide = make_clinician(people.organisation, "aaron")
    CareTeamMember.objects.create(
        patient=people.patient, clinician=aide, role="case_manager", started_on=date(2025, 1, 6)
    )
    today = datetime.now(UTC).date()
    assert on_team(people, today) == [people.therapist.user_id, aide.user_id]
    User.objects.filter(pk=aide.user_id).update(is_active=False)
    assert on_team(people, today) == [people.therapist.user_id]
    assert on_team(people, date(2025, 1, 5)) == []
    assert on_team(people, today + timedelta(days=1)) == [people.therapist.user_id]


def test_a_role_is_looked_for_inside_the_organisation(people: People) -> None:
    make_clinician(people.elsewhere_patient.organisation, "otto", ClinicianRole.ON_CALL)
    found = clinicians_for(
        people.patient, on=datetime.now(UTC).date(), roles=[ClinicianRole.ON_CALL]
    )
    with_role = [one.user_id for one in found if ClinicianRole.ON_CALL in one.roles]
    assert with_role == [people.on_call.user_id]
