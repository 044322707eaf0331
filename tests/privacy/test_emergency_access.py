"""Break-glass: a reason, a fresh code, one hour, one patient, to read alone, told and reviewed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone

from backend.accounts.actor import Role
from backend.accounts.models import (
    Administrator,
    AuditEvent,
    CareTeamMember,
    EmergencyAccess,
    EmergencyAccessReview,
)
from backend.notifications.models import Notification
from tests.people import People, make_device, make_tie, make_user, next_code
from tests.phones import Phone, check_in_body

REASON = "Brought in by ambulance; the team cannot be reached."
READS = ("check-ins", "trends", "alerts", "baselines", "consents", "disclosures", "replay")


@pytest.fixture
def stranger(people: People) -> Phone:
    """Of the same organisation, not on the care team."""
    return Phone.of(people.stranger.user)


@pytest.fixture
def officer(people: People) -> Phone:
    administrator = Administrator.objects.create(
        user=make_user("olga", Role.ADMINISTRATOR),
        organisation=people.organisation,
        is_privacy_officer=True,
    )
    return Phone.of(administrator.user)


def path(people: People, end: str = "emergency-access") -> str:
    return f"/patients/{people.patient.pk}/{end}"


def body(people: People, **items: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "reason": REASON,
        "code": next_code(people.stranger.user),
        **items,
    }


def reads(phone: Phone, people: People) -> set[int]:
    return {phone.get(path(people, end)).status_code for end in READS}


def test_it_opens_one_record_for_an_hour_to_read(people: People, stranger: Phone) -> None:
    make_tie(people.other_patient, people.therapist)
    assert reads(stranger, people) == {404}
    answer = stranger.post(path(people), body(people))
    assert answer.status_code == 201, answer.content
    row = EmergencyAccess.objects.get()
    assert row.ends_at - row.opened_at == timedelta(minutes=60)
    assert reads(stranger, people) == {200}
    assert stranger.get(f"/patients/{people.other_patient.pk}/check-ins").status_code == 404
    assert stranger.get(f"/patients/{people.elsewhere_patient.pk}/trends").status_code == 404
    fhir = stranger.client.get(
        f"/fhir/Patient/{people.patient.pk}/$everything",
        headers={"authorization": f"Bearer {stranger.token}"},
    )
    assert fhir.status_code == 200
    assert stranger.get("/patients").json()["results"] == []


def test_it_ends_by_itself(people: People, stranger: Phone) -> None:
    opened = timezone.now()
    assert stranger.post(path(people), body(people)).status_code == 201
    for minutes, told in ((59, 200), (61, 404)):
        with time_machine.travel(opened + timedelta(minutes=minutes), tick=False):
            assert stranger.get(path(people, "check-ins")).status_code == told


def test_every_write_still_answers_as_if_not_theirs(
    people: People, phone: Phone, stranger: Phone
) -> None:
    phone.post("/check-ins", check_in_body(craving=9))
    alert_id = Phone.of(people.therapist.user).get(path(people, "alerts")).json()["results"][0]
    assert stranger.post(path(people), body(people)).status_code == 201
    alert = f"alerts/{alert_id['id']}"
    written: dict[str, Any] = {
        f"{alert}/acknowledge": {"id": str(uuid4())},
        f"{alert}/act": {"id": str(uuid4()), "note": "x"},
        f"{alert}/resolve": {"id": str(uuid4()), "outcome": "reached"},
        "baselines": {"id": str(uuid4()), "from_on": "2025-06-01", "reason": "x"},
        "enrolment-codes": None,
        "emergency-disclosures": {
            "id": str(uuid4()),
            "recipient": {"name": "A", "affiliation": "B"},
            "nature": "x",
            "scopes": ["check_ins"],
        },
        "disclosures": {
            "id": str(uuid4()),
            "consent_id": str(uuid4()),
            "scopes": ["check_ins"],
            "purpose": "support",
        },
    }
    told = {
        end: stranger.post(path(people, end), sent).status_code for end, sent in written.items()
    }
    assert set(told.values()) == {404}, told


@pytest.mark.parametrize("code", ["000000", "short", "used"])
def test_without_a_fresh_code_nothing_opens(people: People, stranger: Phone, code: str) -> None:
    given = body(people)
    if code == "used":
        other = f"/patients/{people.other_patient.pk}/emergency-access"
        assert stranger.post(other, given).status_code == 201
    else:
        given["code"] = code
    answer = stranger.post(path(people), {**given, "id": str(uuid4())})
    assert answer.status_code == 400
    assert reads(stranger, people) == {404}
    assert not EmergencyAccess.objects.filter(patient=people.patient).exists()


def test_guessing_codes_is_limited(people: People, stranger: Phone) -> None:
    told = [stranger.post(path(people), body(people, code="000000")).status_code for _ in range(12)]
    assert told == [400] * 10 + [429] * 2
    assert stranger.post(path(people), body(people)).status_code == 429
    assert not EmergencyAccess.objects.exists()


@pytest.mark.parametrize("reason", ["", "   ", "urgent"])
def test_without_a_reason_nothing_opens(people: People, stranger: Phone, reason: str) -> None:
    assert stranger.post(path(people), body(people, reason=reason)).status_code == 400
    assert not EmergencyAccess.objects.exists()


def test_who_may_see_the_patient_anyway_needs_none(people: People) -> None:
    for clinician in (people.therapist, people.on_call, people.supervisor):
        sent = body(people, code=next_code(clinician.user))
        answer = Phone.of(clinician.user).post(path(people), sent)
        assert (answer.status_code, answer.json()["code"]) == (409, "emergency_access_needless")
    assert not EmergencyAccess.objects.exists()


def test_nobody_opens_a_record_of_another_organisation(people: People) -> None:
    sent = body(people, code=next_code(people.elsewhere_therapist.user))
    assert Phone.of(people.elsewhere_therapist.user).post(path(people), sent).status_code == 404
    for user in (people.administrator.user, people.patient_user):
        assert Phone.of(user).post(path(people), body(people)).status_code == 403
    assert not EmergencyAccess.objects.exists()
    denied = AuditEvent.objects.using("audit").filter(action="emergency_access.ask")
    assert [row.was_allowed for row in denied] == [False]


def test_the_same_again_is_one_access_and_one_code(people: People, stranger: Phone) -> None:
    sent = body(people)
    first, again = (stranger.post(path(people), sent) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    changed = stranger.post(path(people), {**sent, "reason": "Something else entirely."})
    assert (changed.status_code, changed.json()["code"]) == (409, "id_conflict")
    another = stranger.post(path(people), body(people))
    assert (another.status_code, another.json()["code"]) == (409, "emergency_access_open")
    assert EmergencyAccess.objects.count() == 1
    assert AuditEvent.objects.filter(action="emergency_access.open").count() == 1


def test_after_it_ended_another_needs_another_code(people: People, stranger: Phone) -> None:
    assert stranger.post(path(people), body(people)).status_code == 201
    with time_machine.travel(timezone.now() + timedelta(minutes=61), tick=False):
        assert stranger.get(path(people, "check-ins")).status_code == 404
        assert stranger.post(path(people), body(people)).status_code == 201
        assert stranger.get(path(people, "check-ins")).status_code == 200


def test_who_leaves_the_organisation_takes_nothing_along(people: People, stranger: Phone) -> None:
    assert stranger.post(path(people), body(people)).status_code == 201
    people.stranger.organisation = people.elsewhere_patient.organisation
    people.stranger.save()
    assert reads(stranger, people) == {404}


def test_joining_the_care_team_ends_nothing_and_leaving_it_opens_nothing(
    people: People, stranger: Phone
) -> None:
    make_tie(people.patient, people.stranger)
    assert stranger.get(path(people, "check-ins")).status_code == 200
    CareTeamMember.objects.filter(clinician=people.stranger).update(ended_on=timezone.now().date())
    assert stranger.get(path(people, "check-ins")).status_code == 404


# Who is told ------------------------------------------------------------------------------------


def test_the_officer_is_told_at_once_and_the_patient_once_it_is_over(
    people: People, stranger: Phone, officer: Phone
) -> None:
    assert stranger.post(path(people), body(people)).status_code == 201
    row = EmergencyAccess.objects.get()
    told = {one.recipient.role: one for one in Notification.objects.all()}
    assert set(told) == {"administrator", "patient"}
    assert told["administrator"].due_at <= timezone.now()
    assert told["administrator"].obeys_quiet_hours is False
    assert told["patient"].due_at == row.ends_at
    assert told["patient"].obeys_quiet_hours is True
    for one in told.values():
        assert (one.text_facts, one.subject) == ({}, f"emergency_access:{row.pk}")
    message = officer.get(f"/me/notifications/{told['administrator'].pk}").json()
    assert message["title"] == "An emergency access to review"
    assert (message["patient_id"], message["alert_id"]) == (None, None)
    assert REASON not in str(message)
    assert "Alice" not in str(message)


def test_without_an_officer_every_administrator_is_told(people: People, stranger: Phone) -> None:
    stranger.post(path(people), body(people))
    told = Notification.objects.exclude(recipient=people.patient_user)
    assert [one.recipient for one in told] == [people.administrator.user]


def test_with_an_officer_the_other_administrators_are_not(
    people: People, stranger: Phone, officer: Phone
) -> None:
    stranger.post(path(people), body(people))
    assert not Notification.objects.filter(recipient=people.administrator.user).exists()
    office = Phone.of(people.administrator.user)
    assert office.get("/emergency-accesses").status_code == 403
    found = EmergencyAccess.objects.get()
    sent = {"finding": "justified"}
    assert office.post(f"/emergency-accesses/{found.pk}/review", sent).status_code == 403
    assert not EmergencyAccessReview.objects.exists()


def test_the_patient_sees_it_in_who_saw_me_and_in_a_message(
    people: People, phone: Phone, stranger: Phone
) -> None:
    make_device(people.patient_user)
    stranger.post(path(people), body(people))
    stranger.get(path(people, "check-ins"))
    lines = [(line["who"], line["what"]) for line in phone.get("/me/audit").json()["results"]]
    assert lines[:2] == [
        ("Charlie", "Read your check-ins."),
        (
            "Charlie",
            "Opened your record in an emergency, for one hour, and gave a reason. It is reviewed.",
        ),
    ]
    told = Notification.objects.get(recipient=people.patient_user)
    message = phone.get(f"/me/notifications/{told.pk}").json()
    assert message["title"] == "Your record was opened"


# Review -----------------------------------------------------------------------------------------


def test_the_officer_reads_and_reviews_each_once(
    people: People, stranger: Phone, officer: Phone
) -> None:
    stranger.post(path(people), body(people))
    (listed,) = officer.get("/emergency-accesses").json()["results"]
    assert (listed["clinician"], listed["reason"]) == ("Charlie", REASON)
    assert (listed["patient_id"], listed["review"]) == (str(people.patient.pk), None)
    review = f"/emergency-accesses/{listed['id']}/review"
    sent = {"finding": "not_justified", "note": "The team could be reached."}
    first, again = (officer.post(review, sent) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json()["review"] == again.json()["review"]
    assert first.json()["review"]["finding"] == "not_justified"
    other = officer.post(review, {"finding": "justified"})
    assert (other.status_code, other.json()["code"]) == (409, "reviewed")
    assert EmergencyAccessReview.objects.get().finding == "not_justified"
    assert officer.get("/emergency-accesses").json()["results"] == [first.json()]
    assert AuditEvent.objects.filter(action="emergency_access.review").count() == 1


def test_an_officer_elsewhere_sees_none_of_it(people: People, stranger: Phone) -> None:
    stranger.post(path(people), body(people))
    elsewhere = Administrator.objects.create(
        user=make_user("abe", Role.ADMINISTRATOR),
        organisation=people.elsewhere_patient.organisation,
        is_privacy_officer=True,
    )
    phone = Phone.of(elsewhere.user)
    assert phone.get("/emergency-accesses").json()["results"] == []
    row = EmergencyAccess.objects.get()
    answer = phone.post(f"/emergency-accesses/{row.pk}/review", {"finding": "justified"})
    assert answer.status_code == 404
    assert not EmergencyAccessReview.objects.exists()


def test_an_operator_names_the_officer(people: People) -> None:
    email = people.administrator.user.email
    call_command("set_privacy_officer", "--email", email.upper())
    officers = Administrator.objects.filter(is_privacy_officer=True)
    assert list(officers) == [people.administrator]
    call_command("set_privacy_officer", "--email", email, "--end")
    assert not officers.all().exists()
    acts = AuditEvent.objects.filter(action__startswith="privacy_officer.")
    assert sorted(acts.values_list("action", flat=True)) == [
        "privacy_officer.end",
        "privacy_officer.set",
    ]
