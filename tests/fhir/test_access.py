"""Who reads what: the patient their own, the care team theirs, nobody else anything."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import get_resolver

from backend.accounts.actor import Role
from backend.accounts.models import AuditEvent, CareTeamMember, User
from backend.checks.routes import routes
from tests.fhir.reading import FULL, NOON, Caller, check_in, codes, outcome, record_all, resources
from tests.people import People, make_user

KINDS = (
    "Patient", "CareTeam", "Flag", "DetectedIssue", "Observation", "Communication", "Consent",
)  # fmt: skip


def address(kind: str, patient_id: object) -> str:
    return f"{kind}?{'_id' if kind == 'Patient' else 'patient'}={patient_id}"


def test_a_patient_reads_their_own_without_saying_who(people: People, patient: Caller) -> None:
    record_all(people.patient)
    for kind in KINDS:
        found = patient.all(kind)
        assert found
        assert patient.all(address(kind, people.patient.pk)) == found
        assert patient.all(address(kind, f"Patient/{people.patient.pk}")) == found


def test_a_clinician_reads_those_of_their_team(
    people: People, patient: Caller, therapist: Caller
) -> None:
    record_all(people.patient, note_shared=True)
    for kind in KINDS:
        own, read = (
            caller.all(address(kind, people.patient.pk)) for caller in (patient, therapist)
        )
        assert own == read
        for one in read:
            assert therapist.read(f"{kind}/{one['id']}") == one


def test_another_patients_look_like_none(people: People, patient: Caller) -> None:
    """Of the same organisation and of another; by search, by id and as a whole."""
    for other in (people.other_patient, people.elsewhere_patient):
        record_all(other)
        assert other.user is not None
        own = Caller(other.user).all(f"Patient/{other.pk}/$everything")
        assert len(own) > 10
        refused = [address(kind, other.pk) for kind in KINDS]
        refused += [f"{one['resourceType']}/{one['id']}" for one in own]
        refused.append(f"Patient/{other.pk}/$everything")
        for path in refused:
            assert outcome(patient.get(path), 404) == ("not-found", "not_found"), path
            assert other.given_name not in patient.get(path).content.decode()


def test_a_list_holds_one_persons_rows_alone(people: People, patient: Caller) -> None:
    record_all(people.patient)
    paths = [*KINDS, f"Patient/{people.patient.pk}/$everything"]
    before = [patient.all(path) for path in paths]
    for somebody in (people.other_patient, people.elsewhere_patient):
        record_all(somebody)
    assert [patient.all(path) for path in paths] == before


def test_clinicians_of_others_and_elsewhere_find_nothing(people: People, stranger: Caller) -> None:
    record_all(people.patient)
    own = Caller(people.patient_user).all(f"Patient/{people.patient.pk}/$everything")
    for caller in (stranger, Caller(people.elsewhere_therapist.user)):
        for kind in KINDS:
            outcome(caller.get(address(kind, people.patient.pk)), 404)
        for one in own:
            outcome(caller.get(f"{one['resourceType']}/{one['id']}"), 404)
        outcome(caller.get(f"Patient/{people.patient.pk}/$everything"), 404)


def test_a_tie_that_ended_opens_nothing_on_the_next_request(
    people: People, therapist: Caller
) -> None:
    record_all(people.patient)
    therapist.read(address("Observation", people.patient.pk))
    CareTeamMember.objects.filter(patient=people.patient).update(ended_on=NOON.date())
    outcome(therapist.get(address("Observation", people.patient.pk)), 404)


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.OPERATOR])
def test_who_runs_things_reads_nothing(people: People, role: Role) -> None:
    user: User = make_user("ada", role)
    if role is Role.ADMINISTRATOR:
        user = people.administrator.user
    for kind in KINDS:
        answer = Caller(user).get(address(kind, people.patient.pk))
        assert outcome(answer, 403) == ("forbidden", "forbidden")
    outcome(Caller(user).get(f"Patient/{people.patient.pk}/$everything"), 403)


def test_a_stranger_reads_the_statement_alone(people: People) -> None:
    record_all(people.patient)
    stranger = Caller(None)
    for kind in KINDS:
        answer = stranger.get(address(kind, people.patient.pk))
        assert outcome(answer, 401) == ("login", "unauthenticated")
        assert answer["WWW-Authenticate"] == "Bearer"
    outcome(stranger.get(f"Patient/{people.patient.pk}/$everything"), 401)
    assert stranger.read("metadata")["resourceType"] == "CapabilityStatement"


def test_every_route_names_who_may_call_it() -> None:
    readers = frozenset({Role.PATIENT, Role.CLINICIAN})
    found = {
        path: callback.cls.allowed_roles
        for path, callback in routes(get_resolver())
        if path.startswith("fhir/")
    }
    assert found.pop("fhir/metadata") == {"GET": frozenset({"anonymous"})}
    assert len(found) == 2 * len(KINDS) + 2
    assert [path for path, roles in found.items() if roles != {"GET": readers}] == []


def test_a_clinician_says_whose(people: People, therapist: Caller) -> None:
    for kind in KINDS:
        assert outcome(therapist.get(kind), 400) == ("invalid", "invalid_parameter")


# Notes -------------------------------------------------------------------------------------------


def test_a_note_that_is_not_shared_is_for_its_patient_alone(
    people: People, patient: Caller, therapist: Caller
) -> None:
    row = check_in(people.patient, mood=5, note="canary of the night")
    path = address("Observation", people.patient.pk)
    assert codes(patient.all(path)) == ["mood", "note"]
    assert patient.read(f"Observation/{row.pk}-note")["valueString"] == "canary of the night"
    assert codes(therapist.all(path)) == ["mood"]
    outcome(therapist.get(f"Observation/{row.pk}-note"), 404)
    assert therapist.all(f"{path}&code=note") == []
    everything = therapist.get(f"Patient/{people.patient.pk}/$everything").content
    assert b"canary of the night" not in everything


def test_notes_that_are_kept_back_leave_no_gap(people: People, therapist: Caller) -> None:
    for back in range(6):
        check_in(people.patient, at=NOON - timedelta(days=back), note="only mine")
    check_in(people.patient, at=NOON - timedelta(days=9), mood=5)
    path = address("Observation", people.patient.pk)
    assert codes(therapist.all(f"{path}&_count=1")) == ["mood"]


def test_a_shared_note_is_for_the_team(people: People, therapist: Caller) -> None:
    row = check_in(people.patient, note="please read", note_shared=True)
    assert therapist.read(f"Observation/{row.pk}-note")["valueString"] == "please read"
    assert codes(therapist.all(address("Observation", people.patient.pk))) == ["note"]


# The audit log -----------------------------------------------------------------------------------


def events(people: People) -> list[tuple[str, str, str, dict[str, int]]]:
    rows = AuditEvent.objects.filter(patient_id=people.patient.pk, action__startswith="fhir.")
    return [(row.action, row.object_kind, row.object_id, row.facts) for row in rows.order_by("pk")]


def test_every_read_is_in_the_audit_log(people: People, therapist: Caller) -> None:
    row = check_in(people.patient, mood=5, sleep_hours=8)
    therapist.read(f"Observation/{row.pk}-mood")
    therapist.read(address("Observation", people.patient.pk))
    therapist.read(f"Patient/{people.patient.pk}/$everything?_count=2")
    assert events(people) == [
        ("fhir.read", "Observation", f"{row.pk}-mood", {}),
        ("fhir.search", "Observation", "", {"count": 2}),
        ("fhir.everything", "", "", {"count": 2}),
    ]
    seen = AuditEvent.objects.filter(action__startswith="fhir.")
    assert {event.actor_id for event in seen} == {people.therapist.user_id}


def test_a_patients_own_read_is_there_too(people: People, patient: Caller) -> None:
    patient.read("CareTeam")
    assert events(people) == [("fhir.search", "CareTeam", "", {"count": 1})]


def test_a_refusal_is_a_denial_and_no_read(people: People, stranger: Caller) -> None:
    row = check_in(people.patient, mood=5)
    for path in (
        f"Observation/{row.pk}-mood",
        address("Flag", people.patient.pk),
        f"Patient/{people.patient.pk}/$everything",
    ):
        outcome(stranger.get(path), 404)
    assert events(people) == []
    denied = AuditEvent.objects.using("audit").filter(patient_id=people.patient.pk)
    assert [(row.action, row.was_allowed) for row in denied] == [("patient.access", False)] * 3


def test_no_audit_row_holds_what_was_asked(people: People, patient: Caller) -> None:
    patient.get("Observation?note=canary&code=canary")
    patient.get("Observation?code=canary")
    stored = [str(vars(row)) for row in AuditEvent.objects.all()]
    assert stored
    assert [row for row in stored if "canary" in row] == []


# Taken back --------------------------------------------------------------------------------------


def test_a_check_in_taken_back_is_absent(
    people: People, patient: Caller, therapist: Caller
) -> None:
    gone = check_in(people.patient, **FULL)
    kept = check_in(people.patient, at=NOON - timedelta(days=1), mood=5)
    type(gone).objects.filter(pk=gone.pk).update(withdrawn_at=NOON)
    for caller in (patient, therapist):
        found = caller.all(address("Observation", people.patient.pk))
        assert [one["id"] for one in found] == [f"{kept.pk}-mood"]
        outcome(caller.get(f"Observation/{gone.pk}-mood"), 404)
        everything = caller.get(f"Patient/{people.patient.pk}/$everything").content.decode()
        assert str(gone.pk) not in everything


def test_what_does_not_exist_looks_the_same(people: People, patient: Caller) -> None:
    row = check_in(people.patient, mood=5)
    for path in (
        f"Observation/{uuid4()}-mood",
        f"Observation/{row.pk}-craving",
        f"Observation/{row.pk}-nonsense",
        f"Observation/{row.pk}",
        "Observation/nonsense",
        "Observation/" + "-" * 37 + "mood",
        f"Flag/{row.pk}",
        f"Flag/{uuid4()}",
        f"Patient/{uuid4()}",
        f"CareTeam/{uuid4()}",
        "Flag/nonsense",
        f"Consent/{uuid4()}",
        "CarePlan",
        "QuestionnaireResponse/1",
        f"Patient/{uuid4()}/$everything",
        f"Patient/{people.patient.pk}/$nothing",
    ):
        assert outcome(patient.get(path), 404) == ("not-found", "not_found"), path


def test_reading_with_a_bundle_leaves_nothing_in_caches(people: People, patient: Caller) -> None:
    assert patient.get("Observation")["Cache-Control"] == "no-store"
    assert resources(patient.read("Observation")) == []
