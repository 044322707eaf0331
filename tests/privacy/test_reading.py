"""Who saw this patient, for the administrators of their organisation and nobody else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from backend.accounts import audit
from backend.accounts.actor import Role
from backend.accounts.models import Administrator, AuditEvent, CareTeamMember
from tests.people import People, actor_for, make_clinician, make_tie, make_user
from tests.phones import Phone, check_in_body
from tests.privacy.listing import DAY, at, audit_path, results

# For administrators ----------------------------------------------------------------------------


def test_an_administrator_is_told_who_opened_the_record_and_when(
    people: People, office: Phone
) -> None:
    therapist = Phone.of(people.therapist.user)
    assert therapist.get(f"/patients/{people.patient.pk}/check-ins").status_code == 200
    (line,) = results(office, audit_path(people))
    assert (line["who"], line["role"], line["kind"]) == ("Bob", "clinician", "read")
    assert line["what"] == "Opened the record."
    assert datetime.fromisoformat(line["at"]) > datetime.now(UTC) - timedelta(minutes=1)


def test_an_administrator_is_told_nothing_of_what_was_recorded(
    people: People, office: Phone, phone: Phone
) -> None:
    assert phone.post("/check-ins", check_in_body(craving=10)).status_code == 201
    alerts = Phone.of(people.therapist.user).get(f"/patients/{people.patient.pk}/alerts").json()
    audit.record(
        actor=actor_for(people.therapist.user), action="alert.resolved",
        patient_id=people.patient.pk, object_kind="alert", object_id=alerts["results"][0]["id"],
    )  # fmt: skip
    said = office.get(audit_path(people)).content.decode()
    assert {line["kind"] for line in results(office, audit_path(people))} == {"read", "write"}
    for word in ("alert", "check-in", "check_in", "craving", alerts["results"][0]["id"]):
        assert word not in said.lower()


def test_a_refusal_is_on_the_list_without_a_strangers_name(
    committed_db: None, people: People, office: Phone
) -> None:
    path = f"/patients/{people.patient.pk}/check-ins"
    assert Phone.of(people.elsewhere_therapist.user).get(path).status_code == 404
    assert Phone.of(people.stranger.user).get(path).status_code == 404
    own, stranger = results(office, audit_path(people))
    assert (own["kind"], own["who"]) == ("refused", "Charlie")
    assert (stranger["kind"], stranger["who"]) == (
        "refused",
        "Somebody from outside your organisation",
    )


def test_the_reading_of_the_list_is_on_the_list(people: People, office: Phone) -> None:
    assert results(office, audit_path(people)) == []
    (line,) = results(office, audit_path(people))
    assert (line["who"], line["role"]) == (people.administrator.user.email, "administrator")


@pytest.mark.parametrize(
    ("query", "days"),
    [
        ("?from=2026-03-02&to=2026-03-02", [2, 2]),
        ("?from=2026-03-02", [3, 2, 2]),
        ("?to=2026-03-01", [1]),
        ("?from=2026-03-04", []),
        ("?from=0001-01-01&to=9999-12-31", [3, 2, 2, 1]),
    ],
)
def test_days_are_the_patients_own_and_both_included(
    people: People, office: Phone, query: str, days: list[int]
) -> None:
    """In New York, where the day begins at five in the morning, universal time."""
    by = actor_for(people.therapist.user)
    moments = ((2, 4, 59), (2, 5, 0), (3, 4, 59), (3, 5, 0))
    for day, hour, minute in moments:
        moment = datetime(2026, 3, day, hour, minute, tzinfo=UTC)
        at(moment, by=by, action="patient.read", people=people)
    lines = results(office, audit_path(people, query))
    found = [datetime.fromisoformat(line["at"]) - timedelta(hours=5) for line in lines]
    assert [moment.day for moment in found if moment.year == 2026 and moment.month == 3] == days


@pytest.mark.parametrize(
    "query", ["?from=yesterday", "?to=2026-02-30", "?from=2026-03-03&to=2026-03-02", "?from=1"]
)
def test_what_is_no_day_is_refused(people: People, office: Phone, query: str) -> None:
    answer = office.get(audit_path(people, query))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_days")


def test_pages_show_each_act_once(people: People, office: Phone) -> None:
    by = actor_for(people.therapist.user)
    for minute in range(7):
        # Two at a time in the same moment, so that the id has to decide.
        at(DAY + timedelta(minutes=minute // 2), by=by, action=f"test{minute}", people=people)
    seen, query = [], "?to=2026-03-02&limit=2"
    while True:
        answer = office.get(audit_path(people, query)).json()
        seen += [line["at"] for line in answer["results"]]
        if answer["next_cursor"] is None:
            break
        query = f"?to=2026-03-02&limit=2&cursor={answer['next_cursor']}"
    assert len(seen) == 7
    assert seen == sorted(seen, reverse=True)


@pytest.mark.parametrize("cursor", ["x", "WyIxIl0", "WyIyMDI2LTAzLTAyIiwiMSJd"])
def test_a_made_up_cursor_is_refused(people: People, office: Phone, cursor: str) -> None:
    for path in (audit_path(people), "/mass-reads"):
        answer = office.get(f"{path}?cursor={cursor}")
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")


def test_nobody_else_reads_the_list(people: People) -> None:
    elsewhere = Administrator.objects.create(
        user=make_user("abe", Role.ADMINISTRATOR),
        organisation=people.elsewhere_patient.organisation,
    )
    refused = {
        elsewhere.user: 404,
        people.therapist.user: 403,
        people.supervisor.user: 403,
        people.patient_user: 403,
        make_user("oli", Role.OPERATOR): 403,
    }
    for user, status in refused.items():
        assert Phone.of(user).get(audit_path(people)).status_code == status
    assert Phone().get(audit_path(people)).status_code == 401
    assert not AuditEvent.objects.filter(action="audit.read").exists()


# Lists -----------------------------------------------------------------------------------------


def lists(people: People, office: Phone) -> list[str]:
    return [line["who"] for line in results(office, audit_path(people)) if line["kind"] == "list"]


def test_who_opened_a_list_with_this_patient_is_told_too(people: People, office: Phone) -> None:
    for clinician in (
        people.therapist,
        people.on_call,
        people.stranger,
        people.elsewhere_therapist,
    ):
        assert Phone.of(clinician.user).get("/patients").status_code == 200
    assert lists(people, office) == ["Dana", "Bob"]
    assert office.get("/administration/patients").status_code == 200
    assert lists(people, office) == [people.administrator.user.email, "Dana", "Bob"]


def test_a_former_member_is_told_of_for_their_time_alone(people: People, office: Phone) -> None:
    former = make_clinician(people.organisation, "fay")
    make_tie(people.patient, former)
    CareTeamMember.objects.filter(clinician=former).update(ended_on=DAY.date())
    CareTeamMember.objects.filter(patient=people.patient).update(started_on="2026-01-01")
    type(people.patient).objects.update(created_at="2026-01-01T00:00:00Z")
    # Lists were audited without names once.
    for days in (-1, 0):
        with time_machine.travel(DAY + timedelta(days=days), tick=False):
            audit.record(actor=actor_for(former.user), action="caseload.read")
    assert lists(people, office) == ["Fay"]


def test_a_list_that_renews_itself_counts_once(people: People, office: Phone) -> None:
    for is_refresh in (False, True, True):
        audit.record(
            actor=actor_for(people.therapist.user), action="caseload.read",
            facts={"count": 1, "refresh": is_refresh},
        )  # fmt: skip
    assert lists(people, office) == ["Bob"]
