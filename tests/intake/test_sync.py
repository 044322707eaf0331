"""Sync: everything in any order, any number of times; each change has its own answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from backend.accounts.models import AuditEvent
from backend.aftercare.models import Alert
from backend.notifications.models import Notification
from backend.tracking.models import CheckIn, SyncEpoch
from tests.people import People, make_device
from tests.phones import Phone, check_in_body


def create(**items: Any) -> dict[str, Any]:
    return {"op": "create", "type": "check_in", "item": check_in_body(**items)}


def amend(check_in_id: str, base_revision: int, **changes: Any) -> dict[str, Any]:
    return {
        "op": "amend",
        "type": "check_in",
        "id": check_in_id,
        "base_revision": base_revision,
        "changes": changes,
    }


def withdraw(check_in_id: str) -> dict[str, Any]:
    return {"op": "withdraw", "type": "check_in", "id": check_in_id}


def sync(phone: Phone, *changes: Any, cursor: str | None = None) -> dict[str, Any]:
    answer = phone.post("/sync", {"changes": list(changes), "cursor": cursor})
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def statuses(answer: dict[str, Any]) -> list[str]:
    return [result["status"] for result in answer["results"]]


def past(days: int) -> dict[str, str]:
    at = datetime.now(UTC) - timedelta(days=days)
    return {"recorded_at": at.isoformat(), "local_date": at.date().isoformat()}


def test_two_hundred_with_twenty_bad_ones(phone: Phone):
    changes = [create(mood=index % 11, **past(index)) for index in range(200)]
    for index in range(0, 200, 10):
        changes[index]["item"]["mood"] = "bad"
    first = sync(phone, *changes)
    assert (statuses(first).count("created"), statuses(first).count("invalid")) == (180, 20)
    assert {r["problem"]["errors"][0]["pointer"] for r in first["results"] if r["problem"]} == {
        "/mood"
    }
    assert all(r["id"] == c["item"]["id"] for r, c in zip(first["results"], changes, strict=True))
    good = [change for change in changes if change["item"]["mood"] != "bad"]
    again = sync(phone, *good)
    assert set(statuses(again)) == {"replayed"}
    assert CheckIn.objects.count() == 180


def test_a_sync_is_stored_in_a_fixed_number_of_statements(
    phone: Phone, django_assert_max_num_queries
):
    changes = [create(mood=5, **past(index)) for index in range(100)]
    with django_assert_max_num_queries(40):
        sync(phone, *changes)
    assert AuditEvent.objects.filter(action="check_in.store").count() == 100


def test_made_changed_and_taken_back_in_one_request(phone: Phone):
    made = create(mood=6)
    check_in_id = made["item"]["id"]
    answer = sync(phone, made, amend(check_in_id, 1, mood=4), withdraw(check_in_id))
    assert statuses(answer) == ["created", "amended", "withdrawn"]
    assert CheckIn.objects.get().withdrawn_at is not None
    again = sync(phone, made, amend(check_in_id, 1, mood=4), withdraw(check_in_id))
    assert statuses(again) == ["gone", "gone", "replayed"]


def test_a_conflict_carries_the_servers_copy_and_overwrites_nothing(phone: Phone):
    made = create(mood=6)
    sync(phone, made)
    other = {**made, "item": {**made["item"], "mood": 2}}
    answer = sync(phone, other, amend(made["item"]["id"], 7, mood=3))
    assert statuses(answer) == ["conflict", "conflict"]
    assert [result["stored"]["mood"] for result in answer["results"]] == [6, 6]
    assert CheckIn.objects.get().mood == 6


def test_another_persons_id_is_a_conflict_without_a_copy(phone: Phone, people: People):
    assert people.other_patient.user is not None
    made = create(mood=6, note="theirs")
    sync(Phone.of(people.other_patient.user), made)
    answer = sync(phone, made, amend(made["item"]["id"], 1, mood=1))
    assert [result["stored"] for result in answer["results"]] == [None, None]
    assert answer["results"][0]["problem"]["code"] == "id_in_use"
    assert answer["results"][1]["problem"]["code"] == "not_found"
    assert "theirs" not in str(answer)


@pytest.mark.parametrize(
    "bad",
    [
        {"op": "explode", "type": "check_in"},
        {"op": "create", "type": "horoscope", "item": {}},
        {"op": "create", "type": "check_in"},
        {"op": "create", "type": "check_in", "item": "words"},
        "words",
        None,
        17,
        {"op": "amend", "type": "check_in", "id": str(uuid4()), "base_revision": 1, "changes": {}},
    ],
)
def test_a_change_that_makes_no_sense_spoils_nothing(bad: Any, phone: Phone):
    answer = sync(phone, create(mood=6), bad, create(mood=5))
    assert statuses(answer) == ["created", "invalid", "created"]


def test_not_safe_in_a_bad_item_is_heard(phone: Phone, people: People):
    make_device(people.therapist.user)
    answer = sync(phone, create(mood=6), create(not_safe=True, mood="x"))
    assert statuses(answer) == ["created", "invalid"]
    assert Alert.objects.get().condition == "safety"
    assert answer["support"]["emergency_first"] is True
    assert Notification.objects.filter(kind="alert").count() == 1


@pytest.mark.parametrize("spoil", [{"unknown": 1}, {"cursor": 17}])
def test_not_safe_in_a_body_refused_as_a_whole_is_heard(spoil: Any, phone: Phone):
    body = {"changes": [create(mood=6), create(not_safe=True)], **spoil}
    answer = phone.post("/sync", body)
    assert answer.status_code == 400
    assert answer.json()["crisis_resources"]
    assert Alert.objects.get().condition == "safety"
    assert not CheckIn.objects.exists()


def test_more_than_two_hundred_changes_are_refused(phone: Phone):
    answer = phone.post("/sync", {"changes": [withdraw(str(uuid4()))] * 201})
    assert (answer.status_code, answer.json()["keep"]) == (400, False)


def test_one_alert_for_many_acute_days_sent_at_once(phone: Phone, people: People):
    make_device(people.therapist.user)
    sync(phone, *[create(craving=9, **past(days)) for days in (3, 2, 0)])
    alert = Alert.objects.get()
    assert alert.evidence.count() == 3


def test_a_second_phone_is_given_everything_and_then_only_what_is_new(phone: Phone):
    sync(phone, create(mood=6), create(mood=5))
    other = Phone(token=phone.token)
    first = sync(other)
    assert len(first["changes"]) == 2
    nothing = sync(other, cursor=first["cursor"])
    assert (nothing["changes"], nothing["cursor"]) == ([], first["cursor"])
    sync(phone, create(mood=4))
    assert [c["item"]["mood"] for c in sync(other, cursor=first["cursor"])["changes"]] == [4]


def test_amended_ones_come_again_and_withdrawn_ones_as_tombstones(phone: Phone):
    one, two = create(mood=6), create(mood=5)
    cursor = sync(Phone(token=phone.token), one, two)["cursor"]
    sync(phone, amend(one["item"]["id"], 1, mood=1), withdraw(two["item"]["id"]))
    changes = {c["id"]: c for c in sync(Phone(token=phone.token), cursor=cursor)["changes"]}
    assert changes[one["item"]["id"]]["item"]["mood"] == 1
    assert changes[two["item"]["id"]] == {
        "type": "check_in",
        "id": two["item"]["id"],
        "revision": 2,
        "withdrawn": True,
        "item": None,
    }


def test_after_a_restore_a_phone_is_given_everything_again(phone: Phone, people: People):
    sync(phone, create(mood=6))
    late = create(mood=5)
    cursor = sync(phone, late, cursor=None)["cursor"]
    # Nobody who serves may delete a row: to this phone one that is somebody else's is gone as well.
    CheckIn.objects.filter(pk=late["item"]["id"]).update(patient=people.other_patient)
    answer = sync(phone, cursor=cursor)
    assert answer["starts_over"] is True
    assert [c["item"]["mood"] for c in answer["changes"]] == [6]


def test_a_new_epoch_starts_every_phone_from_the_beginning(phone: Phone):
    cursor = sync(phone, create(mood=6))["cursor"]
    SyncEpoch.objects.update(epoch=uuid4())
    assert sync(phone, cursor=cursor)["starts_over"] is True


def test_a_cursor_of_somebody_else_shows_nothing_of_theirs(phone: Phone, people: People):
    assert people.other_patient.user is not None
    cursor = sync(Phone.of(people.other_patient.user), create(mood=1))["cursor"]
    sync(phone, create(mood=6))
    assert [c["item"]["mood"] for c in sync(phone, cursor=cursor)["changes"]] == [6]


@pytest.mark.parametrize("cursor", ["x", "AAAA", "W10", "🙂"])
def test_a_cursor_that_is_not_ours_is_refused(cursor: str, phone: Phone):
    answer = phone.post("/sync", {"changes": [], "cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")


def test_a_long_history_comes_in_pages(phone: Phone, people: People, monkeypatch):
    monkeypatch.setattr("backend.tracking.deltas.PAGE", 3)
    sync(Phone(token=phone.token), *[create(mood=i) for i in range(7)])
    cursor, moods, more = None, [], True
    while more:
        answer = sync(phone, cursor=cursor)
        cursor, more = answer["cursor"], answer["more"]
        moods += [c["item"]["mood"] for c in answer["changes"]]
    assert moods == list(range(7))
