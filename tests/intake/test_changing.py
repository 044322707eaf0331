"""Amending and taking back: the former content is kept, and no alert is ever lowered."""

from __future__ import annotations

from uuid import UUID

import pytest

from backend.aftercare.models import Alert, AlertAct
from backend.notifications.models import Notification
from backend.tracking.models import AssessmentRequest, CheckIn, CheckInRevision
from tests.people import People, make_device
from tests.phones import Phone, check_in_body


def patch(phone: Phone, check_in_id: str, revision: int | str = 1, **changes):
    return phone.request(
        "PATCH", f"/check-ins/{check_in_id}", changes, **{"if-match": f'"{revision}"'}
    )


@pytest.fixture
def calm(phone: Phone) -> str:
    body = check_in_body(mood=6, note="as it was")
    phone.post("/check-ins", body)
    return str(body["id"])


def test_an_amendment_changes_what_was_sent_and_keeps_the_rest(phone: Phone, calm: str):
    answer = patch(phone, calm, mood=5)
    assert (answer.status_code, answer["ETag"]) == (200, '"2"')
    row = CheckIn.objects.get()
    assert (row.mood, row.note, row.revision) == (5, "as it was", 2)
    kept = CheckInRevision.objects.get()
    assert (kept.revision, kept.content["mood"]) == (1, 6)
    assert AssessmentRequest.objects.get().generation == 2


def test_the_same_amendment_again_is_a_replay(phone: Phone, calm: str):
    patch(phone, calm, mood=5)
    assert patch(phone, calm, mood=5).status_code == 200
    assert CheckIn.objects.get().revision == 2


def test_an_amendment_whose_refused_body_was_heard_is_tied_to_the_same_alert(
    phone: Phone, calm: str, people: People
):
    make_device(people.therapist.user)
    refused = phone.request("PATCH", f"/check-ins/{calm}", {"mood": 0, "nonsense": 1})
    assert refused.status_code in (400, 428)
    assert patch(phone, calm, mood=0).status_code == 200
    alert = Alert.objects.get()
    assert alert.round == 1
    assert alert.evidence.filter(check_in_id=UUID(calm)).count() == 1
    assert Notification.objects.filter(recipient=people.therapist.user).count() == 1


def test_an_amendment_on_an_older_revision_overwrites_nothing(phone: Phone, calm: str):
    patch(phone, calm, mood=5)
    answer = patch(phone, calm, mood=3)
    assert (answer.status_code, answer.json()["stored"]["mood"]) == (409, 5)
    assert CheckIn.objects.get().mood == 5


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"mood": "five"}, 400),
        ({"id": "0c0a5e3a-4a1f-4a7b-9a64-3a51b6f6f9d1"}, 400),
        ({"recorded_at": "2026-01-01T00:00:00Z"}, 400),
        ({"unknown": 1}, 400),
        ({"mood": None, "note": ""}, 400),
    ],
)
def test_a_bad_amendment_is_refused_and_changes_nothing(changes, status, phone: Phone, calm: str):
    assert patch(phone, calm, **changes).status_code == status
    row = CheckIn.objects.get()
    assert (row.mood, row.note, row.revision) == (6, "as it was", 1)


def test_an_amendment_needs_its_revision_said(phone: Phone, calm: str):
    answer = phone.request("PATCH", f"/check-ins/{calm}", {"mood": 5})
    assert (answer.status_code, answer.json()["code"]) == (428, "if_match_required")


def test_not_safe_in_a_refused_amendment_is_heard(phone: Phone, calm: str):
    assert patch(phone, calm, not_safe=True, mood="x").status_code == 400
    assert Alert.objects.get().condition == "safety"


def test_an_amendment_may_raise_an_alert(phone: Phone, people: People, calm: str):
    make_device(people.therapist.user)
    answer = patch(phone, calm, craving=9)
    assert answer.json()["support"]["is_acute"] is True
    assert Alert.objects.get().evidence.get().check_in_id == CheckIn.objects.get().pk
    assert Notification.objects.filter(kind="alert").count() == 1


def test_an_amendment_never_lowers_an_alert_and_shows_on_it(phone: Phone):
    body = check_in_body(craving=9)
    phone.post("/check-ins", body)
    patch(phone, body["id"], craving=2)
    alert = Alert.objects.get()
    assert (alert.status, alert.severity, alert.round) == ("open", "high", 1)
    assert AlertAct.objects.get(kind="revised").facts == {"revision": 2}


def test_amending_something_else_tells_nobody_again(phone: Phone, people: People):
    make_device(people.therapist.user)
    body = check_in_body(craving=9)
    phone.post("/check-ins", body)
    patch(phone, body["id"], note="more words")
    assert Notification.objects.filter(kind="alert").count() == 1


def test_what_is_taken_back_counts_for_nothing_but_closes_no_alert(phone: Phone):
    body = check_in_body(craving=9)
    phone.post("/check-ins", body)
    for _ in range(2):
        assert phone.request("DELETE", f"/check-ins/{body['id']}").status_code == 200
    assert phone.get("/check-ins").json()["results"] == []
    assert Alert.objects.get().status == "open"
    assert CheckInRevision.objects.count() == 1


def test_what_was_taken_back_does_not_come_back(phone: Phone, calm: str):
    phone.request("DELETE", f"/check-ins/{calm}")
    row = CheckIn.objects.get()
    again = check_in_body(id=calm, mood=6)
    assert phone.post("/check-ins", again).status_code == 410
    assert patch(phone, calm, revision=2, mood=4).status_code == 410
    row.refresh_from_db()
    assert (row.mood, row.withdrawn_at is not None) == (6, True)


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_another_persons_check_in_looks_like_none(method: str, people: People, calm: str):
    assert people.other_patient.user is not None
    other = Phone.of(people.other_patient.user)
    answer = other.request(method, f"/check-ins/{calm}", {"mood": 1}, **{"if-match": '"1"'})
    assert answer.status_code == 404
    assert CheckIn.objects.get().mood == 6
