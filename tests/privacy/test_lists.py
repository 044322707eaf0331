"""Whoever was shown to somebody, or looked at by the system, is named in the audit log."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

from django.test import Client
from django.utils import timezone

from backend.accounts import audit
from backend.accounts.actor import Actor
from backend.accounts.models import AuditEvent
from backend.aftercare.services import assess_due
from backend.aftercare.services.sweeping import sweep_range
from backend.tracking.sweeping import ends_of
from tests.dashboard.browsing import browser_of
from tests.people import People, make_tie
from tests.phones import Phone, check_in_body
from tests.privacy.listing import results


def facts_of(action: str) -> list[dict[str, object]]:
    return list(
        AuditEvent.objects.filter(action=action).order_by("pk").values_list("facts", flat=True)
    )


def test_a_list_names_everyone_on_it_and_nobody_else(people: People) -> None:
    assert Phone.of(people.therapist.user).get("/patients").status_code == 200
    assert facts_of("caseload.read") == [{"count": 1, "patients": [str(people.patient.pk)]}]
    answer = Phone.of(people.administrator.user).get("/administration/patients?limit=1")
    (first,) = answer.json()["results"]
    assert facts_of("patients.read") == [{"count": 1, "patients": [first["id"]]}]


def test_a_page_of_the_list_tells_of_those_on_that_page_alone(people: People) -> None:
    office = Phone.of(people.administrator.user)
    (first,) = office.get("/administration/patients?limit=1").json()["results"]
    (second,) = {str(people.patient.pk), str(people.other_patient.pk)} - {first["id"]}
    shown, hidden = (
        [line["kind"] for line in results(office, f"/patients/{patient_id}/audit")]
        for patient_id in (first["id"], second)
    )
    assert "list" in shown
    assert "list" not in hidden


def test_the_open_page_names_again_only_when_others_appear(people: People) -> None:
    desk: Client = browser_of(people.therapist.user)
    desk.get("/desk/")
    for _round in range(2):
        desk.post("/desk/refresh", headers={"HX-Request": "true"})
    make_tie(people.other_patient, people.therapist)
    for _round in range(2):
        desk.post("/desk/refresh", headers={"HX-Request": "true"})
    named = [sorted(map(str, facts.get("patients", []))) for facts in facts_of("caseload.read")]  # type: ignore[call-overload]
    both = sorted([str(people.patient.pk), str(people.other_patient.pk)])
    assert named == [[str(people.patient.pk)], [], [], both, []]
    office = Phone.of(people.administrator.user)
    assert [one["who"] for one in results(office, f"/patients/{people.other_patient.pk}/audit")][
        -1:
    ] == ["Bob"]


def test_a_long_list_is_named_in_several_rows(people: People) -> None:
    ids = [uuid4() for _ in range(2 * audit.PEOPLE_A_ROW + 1)]
    audit.record_shown(actor=Actor.system("tests"), action="caseload.read", patient_ids=ids)
    rows = facts_of("caseload.read")
    assert [row["count"] for row in rows] == [len(ids)] * 3
    named = [UUID(one) for row in rows for one in row["patients"]]  # type: ignore[attr-defined]
    assert named == ids


def test_a_patients_own_reading_leaves_a_row_and_does_not_bury_the_others(
    people: People, phone: Phone
) -> None:
    assert phone.get("/check-ins").status_code == 200
    assert phone.get("/trends").status_code == 200
    rows = AuditEvent.objects.filter(actor_id=people.patient_user.pk, patient_id=people.patient.pk)
    assert set(rows.values_list("action", flat=True)) == {"check_ins.read", "trends.read"}
    assert results(phone, "/me/audit") == []


def test_a_sync_that_shows_nothing_leaves_no_row(people: People, phone: Phone) -> None:
    assert phone.post("/sync", {"cursor": None, "changes": []}).status_code == 200
    assert not AuditEvent.objects.filter(action="check_ins.read").exists()
    assert phone.post("/check-ins", check_in_body(mood=6)).status_code == 201
    answer = phone.post("/sync", {"cursor": None, "changes": []})
    assert len(answer.json()["changes"]) == 1
    assert facts_of("check_ins.read") == [{"count": 1}]


def test_an_evaluation_names_whom_it_looked_at(people: People, phone: Phone) -> None:
    other = people.other_patient.user
    assert other is not None
    for one in (phone, Phone.of(other)):
        assert one.post("/check-ins", check_in_body(mood=6)).status_code == 201
    assert assess_due(now=timezone.now()) == 2
    (facts,) = facts_of("check_ins.evaluate")
    assert facts["count"] == 2
    assert set(facts["patients"]) == {str(people.patient.pk), str(people.other_patient.pk)}  # type: ignore[call-overload]
    assert assess_due(now=timezone.now() + timedelta(minutes=5)) == 0
    assert len(facts_of("check_ins.evaluate")) == 1


def test_a_sweep_says_from_whom_to_whom_it_went(people: People) -> None:
    everyone = (UUID(int=0), UUID(int=2**128 - 1))
    assert sweep_range(*everyone, now=timezone.now()) == 3
    ids = sorted(one.pk for one in (people.patient, people.other_patient, people.elsewhere_patient))
    assert facts_of("check_ins.sweep") == [{"count": 3, "from": str(ids[0]), "to": str(ids[-1])}]
    assert len(ends_of(0)) == 2
