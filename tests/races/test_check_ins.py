"""Check-ins from twenty threads at once: one effect each, no deadlock, no server error."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from backend.accounts.models import AuditEvent
from backend.aftercare.models import AcuteReport, Alert, AlertAct, AlertEvidence
from backend.notifications.models import Notification
from backend.tracking.deltas import Delta, delta_since
from backend.tracking.models import AssessmentRequest, CheckIn, CheckInRevision
from tests.people import People, make_device
from tests.phones import Phone, check_in_body
from tests.races.sending import THREADS, results, statuses, twenty, twin

pytestmark = pytest.mark.usefixtures("committed_db")


def create(**items: Any) -> dict[str, Any]:
    return {"op": "create", "type": "check_in", "item": check_in_body(**items)}


@pytest.fixture
def other(people: People) -> Phone:
    assert people.other_patient.user is not None
    return Phone.of(people.other_patient.user)


def test_one_check_in_is_stored_once_and_told_once(phone: Phone, people: People) -> None:
    make_device(people.therapist.user)
    body = check_in_body(craving=9)
    answers = twenty(lambda _: twin(phone).post("/check-ins", body))
    assert statuses(answers) == {201: 1, 200: THREADS - 1}
    assert CheckIn.objects.count() == 1
    assert AlertEvidence.objects.count() == Alert.objects.get().round == 1
    assert Notification.objects.filter(kind="alert").count() == 1
    assert AuditEvent.objects.filter(action="check_in.store").count() == 1


def test_twenty_acute_ones_are_one_alert(phone: Phone) -> None:
    answers = twenty(lambda _: twin(phone).post("/check-ins", check_in_body(craving=9)))
    assert statuses(answers) == {201: THREADS}
    assert Alert.objects.get().evidence.count() == THREADS
    assert AssessmentRequest.objects.get().generation == THREADS


def test_one_id_with_different_content_is_stored_once(phone: Phone) -> None:
    body = check_in_body(mood=6)
    answers = twenty(lambda n: twin(phone).post("/check-ins", {**body, "note": f"no. {n}"}))
    assert statuses(answers) == {201: 1, 409: THREADS - 1}
    note = CheckIn.objects.get().note
    stood = [answer.json()["stored"]["note"] for answer in answers if answer.status_code == 409]
    assert set(stood) == {note}


def test_one_id_of_two_people_is_one_persons(phone: Phone, other: Phone) -> None:
    body = check_in_body(mood=6, note="mine alone")
    answers = twenty(lambda n: twin((phone, other)[n % 2]).post("/check-ins", body))
    half = THREADS // 2
    assert statuses(answers) == {201: 1, 200: half - 1, 409: half}
    refused = [answer for answer in answers if answer.status_code == 409]
    assert not any(b"mine alone" in answer.content for answer in refused)
    assert CheckIn.objects.count() == 1


def test_the_same_thirty_items_are_stored_once(phone: Phone) -> None:
    changes = [create(mood=index % 11) for index in range(30)]
    answers = twenty(lambda _: twin(phone).post("/sync", {"changes": changes}))
    told = [results(answer) for answer in answers]
    assert sorted(set(map(tuple, told))) == [("created",) * 30, ("replayed",) * 30]
    assert told.count(["created"] * 30) == 1
    assert CheckIn.objects.count() == 30
    assert AuditEvent.objects.filter(action="check_in.store").count() == 30


def test_the_same_items_in_opposite_order_from_two_people(phone: Phone, other: Phone) -> None:
    """Each would wait for what the other has just stored: a deadlock, were it not for order."""
    changes = [create(mood=index % 11) for index in range(30)]
    bodies = ({"changes": changes}, {"changes": changes[::-1]})
    answers = twenty(lambda n: twin((phone, other)[n % 2]).post("/sync", bodies[n % 2]))
    told = [status for answer in answers for status in results(answer)]
    assert told.count("created") == CheckIn.objects.count() == 30
    assert set(told) <= {"created", "replayed", "conflict"}


def test_syncs_of_different_items_give_each_phone_everything_in_the_end(phone: Phone) -> None:
    answers = twenty(lambda _: twin(phone).post("/sync", {"changes": [create(mood=5)]}))
    late = [twin(phone).post("/sync", {"cursor": answer.json()["cursor"]}) for answer in answers]
    for first, then in zip(answers, late, strict=True):
        seen = {result["id"] for result in first.json()["results"]}
        seen |= {item["id"] for item in first.json()["changes"] + then.json()["changes"]}
        assert len(seen) == THREADS


def test_a_change_from_the_other_phone_in_the_middle_of_a_sync_is_not_passed_over(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = create(mood=6)
    path = f"/check-ins/{made['item']['id']}"

    def meanwhile(*args: Any, **known: Any) -> Delta:
        """Between storing this phone's changes and reading what is new for it."""
        amended = twin(phone).request("PATCH", path, {"mood": 3}, **{"if-match": '"1"'})
        assert amended.status_code == 200
        return delta_since(*args, **known)

    monkeypatch.setattr("backend.intake.api.sync.delta_since", meanwhile)
    answer = phone.post("/sync", {"changes": [made]}).json()
    assert [result["revision"] for result in answer["results"]] == [1]
    monkeypatch.undo()
    later = phone.post("/sync", {"cursor": answer["cursor"]}).json()
    told = [item["item"]["mood"] for item in answer["changes"] + later["changes"]]
    assert told == [3]


def test_one_revision_is_amended_once(phone: Phone) -> None:
    body = check_in_body(mood=6)
    phone.post("/check-ins", body)
    path, match = f"/check-ins/{body['id']}", {"if-match": '"1"'}
    answers = twenty(
        lambda n: twin(phone).request("PATCH", path, {"note": f"changed by {n}"}, **match)
    )
    assert statuses(answers) == {200: 1, 409: THREADS - 1}
    assert CheckIn.objects.get().revision == 2
    assert CheckInRevision.objects.count() == 1


def test_the_same_amendment_is_made_once(phone: Phone) -> None:
    body = check_in_body(craving=9)
    phone.post("/check-ins", body)
    path, match = f"/check-ins/{body['id']}", {"if-match": '"1"'}
    answers = twenty(lambda _: twin(phone).request("PATCH", path, {"mood": 0}, **match))
    assert statuses(answers) == {200: THREADS}
    assert CheckIn.objects.get().revision == 2
    assert AlertAct.objects.filter(kind="revised").count() == 1


def test_it_is_taken_back_once(phone: Phone) -> None:
    body = check_in_body(mood=6)
    phone.post("/check-ins", body)
    answers = twenty(lambda _: twin(phone).request("DELETE", f"/check-ins/{body['id']}"))
    assert statuses(answers) == {200: THREADS}
    assert CheckIn.objects.get().revision == 2
    assert CheckInRevision.objects.count() == 1


def test_amending_and_taking_back_at_once_ends_withdrawn(phone: Phone) -> None:
    body = check_in_body(mood=6)
    phone.post("/check-ins", body)
    path, match = f"/check-ins/{body['id']}", {"if-match": '"1"'}

    def change(number: int) -> Any:
        if number % 2:
            return twin(phone).request("DELETE", path)
        return twin(phone).request("PATCH", path, {"mood": number % 10}, **match)

    answers = twenty(change)
    assert set(statuses(answers)) <= {200, 409, 410}
    row = CheckIn.objects.get()
    assert row.withdrawn_at is not None
    assert CheckInRevision.objects.count() == row.revision - 1


def test_a_refused_cry_for_help_is_heard_once(phone: Phone, people: People) -> None:
    make_device(people.therapist.user)
    body = check_in_body(not_safe=True, mood="x")
    answers = twenty(lambda _: twin(phone).post("/check-ins", body))
    assert statuses(answers) == {400: THREADS}
    assert AcuteReport.objects.count() == AlertEvidence.objects.count() == 1
    assert Alert.objects.get().round == 1
    assert Notification.objects.filter(kind="alert").count() == 1


def test_a_refused_body_and_its_corrected_retry_are_one_alert(phone: Phone, people: People) -> None:
    make_device(people.therapist.user)
    good = check_in_body(not_safe=True)
    bodies = (good, {**good, "mood": "x"})
    answers = twenty(lambda n: twin(phone).post("/check-ins", bodies[n % 2]))
    assert statuses(answers)[201] == 1
    assert set(statuses(answers)) == {200, 201, 400}
    assert Alert.objects.get().round == 1
    assert Notification.objects.filter(kind="alert").count() == 1


def test_a_cry_for_help_from_two_people_under_one_id_is_two(phone: Phone, other: Phone) -> None:
    body = check_in_body(id=str(uuid4()), not_safe=True, mood="x")
    answers = twenty(lambda n: twin((phone, other)[n % 2]).post("/check-ins", body))
    assert statuses(answers) == {400: THREADS}
    assert Alert.objects.count() == AcuteReport.objects.count() == 2
