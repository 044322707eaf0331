"""An organisation is set up without a shell on the database, and each keeps to its own."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core import mail
from django.core.management import CommandError, call_command

from backend.accounts.models import (
    Administrator,
    AuditEvent,
    CareTeamMember,
    Clinician,
    Organisation,
    Patient,
    User,
)
from backend.notifications.services import send_password_mails
from tests.accounts.test_passwords import NEW, code_in, confirm, later, sign_in
from tests.accounts.threads import at_once
from tests.people import People, make_patient
from tests.phones import Phone

SET_UP = {
    "name": "Lakeside",
    "country": "US",
    "time_zone": "America/Chicago",
    "admin_email": "Ada.Admin@example.org",
}


@pytest.fixture
def admin(people: People) -> Phone:
    return Phone.of(people.administrator.user)


def set_up(**changes: str) -> str:
    out = StringIO()
    call_command("create_organisation", stdout=out, **{**SET_UP, **changes})
    return out.getvalue()


def person(**values: Any) -> dict[str, Any]:
    return {"id": str(uuid4()), "given_name": "Robin", "family_name": "Lee", **values}


def colleague(**values: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "email": f"kim-{uuid4().hex[:6]}@example.org",
        "display_name": "Dr. Kim",
        "roles": ["therapist"],
        **values,
    }


def tie(patient: Patient | UUID, clinician: Clinician | UUID) -> str:
    ids = [one if isinstance(one, UUID) else one.pk for one in (patient, clinician)]
    return f"/patients/{ids[0]}/care-team/{ids[1]}"


# The command ------------------------------------------------------------------------------------


def test_the_first_administrator_signs_in_with_the_password_that_is_shown(db: None) -> None:
    printed = set_up()
    password = printed.strip().rpartition(" ")[2]
    assert sign_in("ada.admin@example.org", password) == 202
    organisation = Administrator.objects.get(user__email="ada.admin@example.org").organisation
    assert (organisation.name, organisation.time_zone) == ("Lakeside", "America/Chicago")
    assert password not in str(list(User.objects.values()))
    assert set(AuditEvent.objects.values_list("actor_name", flat=True)) >= {"create_organisation"}


@pytest.mark.parametrize(
    "changes",
    [
        {"admin_email": "other@example.org"},
        {"name": " lakeside ", "admin_email": "other@example.org"},
        {"name": "Seaside"},
        {"name": "Seaside", "admin_email": "other@example.org", "country": "XX"},
        {"name": "Seaside", "admin_email": "other@example.org", "country": "us"},
        {"name": "Seaside", "admin_email": "other@example.org", "time_zone": "Mars/Base"},
        {"name": "Seaside", "admin_email": "nobody"},
        {"name": " ", "admin_email": "other@example.org"},
    ],
    ids=str,
)
def test_a_duplicate_or_a_slip_is_refused_kindly_and_stores_nothing(
    db: None, changes: dict[str, str]
) -> None:
    set_up()
    with pytest.raises(CommandError):
        set_up(**changes)
    assert (Organisation.objects.count(), User.objects.count()) == (1, 1)


# Patients ---------------------------------------------------------------------------------------


def test_a_patient_is_added_once_and_enrols(people: People, admin: Phone) -> None:
    body = person(born_on="1990-01-02")
    first, second = admin.post("/patients", body), admin.post("/patients", body)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    patient = Patient.objects.get(pk=body["id"])
    assert patient.organisation == people.organisation
    assert (patient.country, patient.time_zone) == ("US", "America/New_York")
    assert AuditEvent.objects.filter(action="patient.add").count() == 1
    code = admin.post(f"/patients/{patient.pk}/enrolment-codes").json()["code"]
    account = {"code": code, "email": "robin@example.org", "password": NEW}
    assert Phone().post("/enrol", {**account, "born_on": "1990-01-02"}).status_code == 201


def test_a_replay_after_enrolment_is_still_the_same(people: People, admin: Phone) -> None:
    body = person()
    admin.post("/patients", body)
    code = admin.post(f"/patients/{body['id']}/enrolment-codes").json()["code"]
    account = {"code": code, "email": "robin@example.org", "password": NEW}
    Phone().post("/enrol", {**account, "born_on": "1990-01-02"})
    assert admin.post("/patients", body).status_code == 200


def test_another_body_under_a_known_id_overwrites_nothing(people: People, admin: Phone) -> None:
    body = person()
    admin.post("/patients", body)
    answer = admin.post("/patients", {**body, "given_name": "Someone else"})
    assert answer.status_code == 409
    assert answer.json()["code"] == "id_conflict"
    assert answer.json()["stored"]["given_name"] == "Robin"
    assert Patient.objects.get(pk=body["id"]).given_name == "Robin"


def test_an_id_of_another_organisation_answers_without_a_copy(people: People, admin: Phone) -> None:
    there = people.elsewhere_patient
    answer = admin.post("/patients", person(id=str(there.pk)))
    assert answer.status_code == 409
    assert "stored" not in answer.json()
    assert there.given_name not in answer.content.decode()
    there.refresh_from_db()
    assert there.organisation != people.organisation


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"country": "XX"}, "/country"),
        ({"country": "us"}, "/country"),
        ({"time_zone": "Mars/Base"}, "/time_zone"),
        ({"time_zone": "../../etc/passwd"}, "/time_zone"),
        ({"born_on": (datetime.now(UTC).date() + timedelta(days=2)).isoformat()}, "/born_on"),
        ({"given_name": "  "}, "/given_name"),
        ({"id": "one"}, "/id"),
    ],
    ids=str,
)
def test_a_slip_is_named_and_nothing_is_stored(
    people: People, admin: Phone, change: dict[str, str], pointer: str
) -> None:
    before = Patient.objects.count()
    answer = admin.post("/patients", person(**change))
    assert answer.status_code == 400
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]
    assert Patient.objects.count() == before


def test_the_list_of_patients_in_pages_and_nothing_clinical(people: People, admin: Phone) -> None:
    for number in range(3):
        make_patient(people.organisation, f"p{number}")
    seen, cursor = [], ""
    while True:
        answer = admin.get(f"/administration/patients?limit=2&cursor={cursor}").json()
        seen += answer["results"]
        if (cursor := answer["next_cursor"]) is None:
            break
    own = Patient.objects.filter(organisation=people.organisation)
    assert [UUID(row["id"]) for row in seen] == [row.pk for row in own.order_by("created_at", "pk")]
    assert set(seen[0]) == {
        "id", "given_name", "family_name", "born_on", "country", "time_zone", "added_at",
        "enrolled_at", "discharged_at",
    }  # fmt: skip
    assert AuditEvent.objects.filter(action="patients.read").count() == 3


@pytest.mark.parametrize("cursor", ["x", "WyJhIiwiYiJd", "WyIyMDI1LTAxLTAxVDAwOjAwOjAwIiwiYSJd"])
def test_a_made_up_page_marker_is_refused(admin: Phone, cursor: str) -> None:
    answer = admin.get(f"/administration/patients?cursor={cursor}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")


def test_one_patient_sent_twenty_times_at_once(committed_db: None, people: People) -> None:
    admin, body = Phone.of(people.administrator.user), person()
    answers = at_once([lambda: admin.post("/patients", body).status_code] * 20)
    assert sorted(answers) == [200] * 19 + [201]


# Clinicians -------------------------------------------------------------------------------------


def test_a_clinician_sets_a_password_that_nobody_else_ever_saw(
    committed_db: None, people: People
) -> None:
    admin, body = Phone.of(people.administrator.user), colleague()
    first, second = admin.post("/clinicians", body), admin.post("/clinicians", body)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["has_password"] is False
    assert send_password_mails(now=later()) == 1
    (message,) = mail.outbox
    code = code_in(message)
    assert message.to == [body["email"]]
    assert code not in first.content.decode() + second.content.decode()
    assert sign_in(body["email"], "") == 400
    assert confirm(body["email"], code).status_code == 204
    assert sign_in(body["email"], NEW) == 202
    (shown,) = [row for row in listed(admin) if row["id"] == body["id"]]
    assert (shown["has_password"], shown["roles"]) == (True, ["therapist"])


def listed(phone: Phone) -> list[dict[str, Any]]:
    return list(phone.get("/clinicians").json()["results"])


def test_the_list_holds_the_own_organisations_alone(people: People, admin: Phone) -> None:
    names = {row["display_name"] for row in listed(admin)}
    assert names == {"Bob", "Charlie", "Dana", "Sam"}


def test_a_known_clinician_id_or_address_overwrites_nothing(people: People, admin: Phone) -> None:
    body = colleague()
    admin.post("/clinicians", body)
    changed = admin.post("/clinicians", {**body, "display_name": "Dr. Who"})
    moved = admin.post("/clinicians", {**body, "email": "other@example.org"})
    there = admin.post("/clinicians", colleague(id=str(people.elsewhere_therapist.pk)))
    taken = admin.post("/clinicians", colleague(email=people.patient_user.email))
    assert [one.status_code for one in (changed, moved, there, taken)] == [409] * 4
    assert changed.json()["stored"]["display_name"] == "Dr. Kim"
    assert "stored" not in there.json()
    assert taken.json()["code"] == "address_unavailable"
    assert Clinician.objects.get(pk=body["id"]).user.email == body["email"]
    assert not User.objects.filter(email="other@example.org").exists()


@pytest.mark.parametrize(
    "change", [{"roles": []}, {"roles": ["owner"]}, {"email": "x"}, {"display_name": " "}], ids=str
)
def test_a_malformed_clinician_is_not_stored(admin: Phone, change: dict[str, Any]) -> None:
    before = User.objects.count()
    assert admin.post("/clinicians", colleague(**change)).status_code == 400
    assert User.objects.count() == before


def test_one_clinician_sent_ten_times_at_once(committed_db: None, people: People) -> None:
    admin, body = Phone.of(people.administrator.user), colleague()
    answers = at_once([lambda: admin.post("/clinicians", body).status_code] * 10)
    assert sorted(answers) == [200] * 9 + [201]
    assert send_password_mails(now=later()) == 1


# Care teams -------------------------------------------------------------------------------------


def test_joining_opens_and_leaving_closes_from_the_next_request_on(
    people: People, admin: Phone
) -> None:
    stranger = Phone.of(people.stranger.user)
    chart = f"/patients/{people.patient.pk}/check-ins"
    path, body = tie(people.patient, people.stranger), {"role": "case_manager"}
    assert stranger.get(chart).status_code == 404
    assert [admin.put(path, body).status_code for _ in range(2)] == [201, 200]
    assert stranger.get(chart).status_code == 200
    assert [admin.request("DELETE", path).status_code for _ in range(2)] == [204, 204]
    assert stranger.get(chart).status_code == 404
    acts = AuditEvent.objects.filter(action__startswith="care_team.").values_list("action")
    assert [action for (action,) in acts.order_by("pk")] == ["care_team.join", "care_team.leave"]


def test_another_role_ends_the_old_tie_and_keeps_it(people: People, admin: Phone) -> None:
    answer = admin.put(tie(people.patient, people.therapist), {"role": "case_manager"})
    ties = CareTeamMember.objects.filter(patient=people.patient, clinician=people.therapist)
    assert (answer.status_code, answer.json()["role"]) == (200, "case_manager")
    today = datetime.now(UTC).date()
    assert list(ties.order_by("started_on").values_list("role", "started_on", "ended_on")) == [
        ("therapist", date(2025, 1, 6), today),
        ("case_manager", today, None),
    ]


def test_who_is_on_the_team_is_told_to_those_it_concerns(people: People, admin: Phone) -> None:
    path = f"/patients/{people.patient.pk}/care-team"
    expected = [(str(people.therapist.pk), "Bob", "therapist", "2025-01-06")]
    for phone in (admin, Phone.of(people.therapist.user), Phone.of(people.on_call.user)):
        rows = phone.get(path).json()["results"]
        assert [tuple(row.values()) for row in rows] == expected
    others = (people.stranger.user, people.elsewhere_therapist.user, people.patient_user)
    assert [Phone.of(user).get(path).status_code for user in others] == [404, 404, 403]


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_people_of_another_organisation_look_like_nobody(
    people: People, admin: Phone, method: str
) -> None:
    body = {"role": "therapist"} if method == "PUT" else None
    paths = [
        tie(people.elsewhere_patient, people.elsewhere_therapist),
        tie(people.elsewhere_patient, people.stranger),
        tie(people.patient, people.elsewhere_therapist),
        tie(uuid4(), people.stranger),
        tie(people.patient, uuid4()),
    ]
    answers = [admin.request(method, path, body) for path in paths]
    assert [answer.status_code for answer in answers] == [404] * 5
    assert CareTeamMember.objects.filter(ended_on__isnull=True).count() == 2


def test_one_tie_asked_for_ten_times_at_once(committed_db: None, people: People) -> None:
    admin, path = Phone.of(people.administrator.user), tie(people.patient, people.stranger)
    answers = at_once([lambda: admin.put(path, {"role": "therapist"}).status_code] * 10)
    assert sorted(answers) == [200] * 9 + [201]
    assert CareTeamMember.objects.filter(clinician=people.stranger).count() == 1


# Nobody else ------------------------------------------------------------------------------------


def test_nobody_but_an_administrator_administers(people: People) -> None:
    calls: list[tuple[str, str, Any]] = [
        ("POST", "/patients", person()),
        ("GET", "/administration/patients", None),
        ("POST", "/clinicians", colleague()),
        ("GET", "/clinicians", None),
        ("PUT", tie(people.patient, people.stranger), {"role": "therapist"}),
        ("DELETE", tie(people.patient, people.therapist), None),
    ]
    before = (Patient.objects.count(), User.objects.count(), CareTeamMember.objects.count())
    for user in (people.patient_user, people.therapist.user, people.supervisor.user):
        phone = Phone.of(user)
        assert [phone.request(*call).status_code for call in calls] == [403] * len(calls)
    after = (Patient.objects.count(), User.objects.count(), CareTeamMember.objects.count())
    assert after == before


def test_an_administrator_still_sees_nothing_clinical(people: People, admin: Phone) -> None:
    for what in ("check-ins", "trends", "alerts"):
        assert admin.get(f"/patients/{people.patient.pk}/{what}").status_code == 403
    assert admin.get("/patients").status_code == 403
