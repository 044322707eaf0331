"""A check-in through the API: stored once, answered with help, told once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from backend.accounts.models import AuditEvent
from backend.aftercare.models import Alert, AlertEvidence
from backend.notifications.models import Notification
from backend.tracking.models import AssessmentRequest, CheckIn
from tests.people import People, make_device
from tests.phones import Phone, check_in_body


def test_a_calm_check_in_is_stored_whole(phone: Phone, people: People):
    body = check_in_body(mood=6, sleep_hours=7.25, cues=["payday"], note="ok", helped=["walk"])
    answer = phone.post("/check-ins", body)
    assert answer.status_code == 201
    row = CheckIn.objects.get()
    assert (str(row.pk), row.patient, row.mood, float(row.sleep_hours or 0)) == (
        body["id"],
        people.patient,
        6,
        7.25,
    )
    assert (row.cues, row.helped, row.note) == (["payday"], ["walk"], "ok")
    assert answer.json()["check_in"]["sleep_hours"] == 7.25


def test_a_calm_check_in_asks_for_an_assessment_and_tells_nobody(phone: Phone, people: People):
    phone.post("/check-ins", check_in_body(mood=6))
    assert AssessmentRequest.objects.get().patient == people.patient
    assert not Alert.objects.exists()
    assert not Notification.objects.exists()


def test_storing_is_audited_without_what_was_recorded(phone: Phone, people: People):
    phone.post("/check-ins", check_in_body(mood=6, note="a private thing"))
    event = AuditEvent.objects.get(action="check_in.store")
    assert (event.patient_id, event.actor_id) == (people.patient.pk, people.patient_user.pk)
    assert "private" not in str(event.facts)


def test_the_same_post_again_answers_the_same_row_and_does_nothing_more(phone: Phone):
    body = check_in_body(craving=9)
    first, second = phone.post("/check-ins", body), phone.post("/check-ins", body)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["check_in"] == second.json()["check_in"]
    assert second.json()["support"] == first.json()["support"]
    assert Alert.objects.get().round == 1
    assert AssessmentRequest.objects.get().generation == 1


def test_another_body_under_a_known_id_overwrites_nothing(phone: Phone):
    body = check_in_body(mood=6)
    phone.post("/check-ins", body)
    answer = phone.post("/check-ins", {**body, "mood": 4})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "check_in_conflict")
    assert problem["stored"]["mood"] == 6
    assert CheckIn.objects.get().mood == 6
    assert problem["crisis_resources"]


def test_another_persons_id_is_refused_without_a_copy(phone: Phone, people: People):
    assert people.other_patient.user is not None
    body = check_in_body(mood=6, note="theirs")
    Phone.of(people.other_patient.user).post("/check-ins", body)
    answer = phone.post("/check-ins", body)
    assert (answer.status_code, answer.json()["code"]) == (409, "id_in_use")
    assert "stored" not in answer.json()
    assert b"theirs" not in answer.content


def test_craving_nine_is_answered_with_help_and_told_to_the_therapist(phone: Phone, people: People):
    make_device(people.patient_user)
    make_device(people.therapist.user)
    answer = phone.post("/check-ins", check_in_body(craving=9)).json()
    assert answer["support"]["is_acute"] is True
    assert {line["call"] for line in answer["support"]["crisis_resources"]} >= {"911", "988"}
    assert answer["support"]["texts"]
    recipients = set(Notification.objects.values_list("recipient_id", "kind"))
    assert recipients == {
        (people.patient_user.pk, "support"),
        (people.therapist.user_id, "alert"),
    }


def test_messages_are_queued_for_nobody_else(phone: Phone, people: People):
    for clinician in (people.stranger, people.elsewhere_therapist, people.therapist):
        make_device(clinician.user)
    phone.post("/check-ins", check_in_body(craving=9))
    told = set(Notification.objects.filter(kind="alert").values_list("recipient_id", flat=True))
    assert told == {people.therapist.user_id}


def test_not_safe_may_stand_alone_and_is_critical(phone: Phone):
    answer = phone.post("/check-ins", check_in_body(not_safe=True, kind="moment"))
    assert answer.status_code == 201
    assert answer.json()["support"]["emergency_first"] is True
    assert Alert.objects.get().severity == "critical"


def test_each_acute_check_in_is_evidence_for_exactly_one_alert(phone: Phone):
    for items in ({"craving": 9}, {"craving": 8, "use_reported": True}, {"not_safe": True}):
        phone.post("/check-ins", check_in_body(**items))
    assert AlertEvidence.objects.count() == 3
    assert Alert.objects.filter(condition="craving").get().evidence.count() == 2
    assert Alert.objects.filter(condition="safety").get().evidence.count() == 1


def test_a_late_check_in_pages_nobody_at_night_but_not_safe_always_does(phone: Phone):
    written = datetime.now(UTC) - timedelta(days=3)
    past = {"recorded_at": written.isoformat(), "local_date": written.date().isoformat()}
    phone.post("/check-ins", check_in_body(craving=9, **past))
    assert set(Notification.objects.values_list("obeys_quiet_hours", flat=True)) == {True}
    phone.post("/check-ins", check_in_body(not_safe=True, **past))
    safety = Notification.objects.filter(text_id="alert.safety")
    assert set(safety.values_list("obeys_quiet_hours", flat=True)) == {False}
    assert CheckIn.objects.filter(is_late=True).count() == 2


def test_a_discharged_patient_hears_that_nobody_reads_it(phone: Phone, people: People):
    people.patient.discharged_at = datetime.now(UTC)
    people.patient.save()
    answer = phone.post("/check-ins", check_in_body(craving=9)).json()
    assert answer["monitoring"]["told"] is False
    assert "left the programme" in answer["monitoring"]["statement"]


def test_spanish_is_answered_in_spanish(phone: Phone, people: People):
    people.patient_user.language = "es"
    people.patient_user.save()
    answer = phone.post("/check-ins", check_in_body(craving=9)).json()
    assert "Un deseo fuerte" in answer["support"]["texts"][0]


@pytest.mark.parametrize("country", ["", "ES", "XX"])
def test_the_current_countrys_lines_stand_beside_the_home_countrys(phone: Phone, country: str):
    answer = phone.post(f"/check-ins?country={country}", check_in_body(craving=9)).json()
    calls = [line["call"] for line in answer["support"]["crisis_resources"]]
    assert "988" in calls
    assert ("112" in calls) == (country == "ES")


def test_listing_is_ones_own_newest_first_by_pages(phone: Phone, people: People):
    assert people.other_patient.user is not None
    Phone.of(people.other_patient.user).post("/check-ins", check_in_body(mood=1))
    start = datetime.now(UTC) - timedelta(days=2)
    for hour in range(5):
        at = start + timedelta(hours=hour)
        past = {"recorded_at": at.isoformat(), "local_date": start.date().isoformat()}
        phone.post("/check-ins", check_in_body(mood=hour, **past))
    first = phone.get("/check-ins?limit=3").json()
    rest = phone.get(f"/check-ins?limit=3&cursor={first['next_cursor']}").json()
    assert [row["mood"] for row in first["results"] + rest["results"]] == [4, 3, 2, 1, 0]
    assert rest["next_cursor"] is None


def test_a_clinician_cannot_post_a_check_in(people: People):
    answer = Phone.of(people.therapist.user).post("/check-ins", check_in_body(not_safe=True))
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert answer.json()["crisis_resources"]
    assert not CheckIn.objects.exists()
    assert not Alert.objects.exists()


def test_a_clinician_reads_their_patients_check_ins_but_not_private_notes(
    phone: Phone, people: People
):
    phone.post("/check-ins", check_in_body(mood=6, note="for me alone"))
    phone.post("/check-ins", check_in_body(mood=5, note="for us", note_shared=True))
    path = f"/patients/{people.patient.pk}/check-ins"
    answer = Phone.of(people.therapist.user).get(path)
    assert {row["note"] for row in answer.json()["results"]} == {"", "for us"}
    assert Phone.of(people.stranger.user).get(path).status_code == 404
    assert Phone.of(people.elsewhere_therapist.user).get(path).status_code == 404
    assert phone.get(path).status_code == 403
    assert Phone().get(f"/patients/{uuid4()}/check-ins").status_code == 401
