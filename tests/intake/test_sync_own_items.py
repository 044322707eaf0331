"""Coping steps and support contacts in a sync: each change has its own answer, as check-ins do."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.accounts.models import AuditEvent
from backend.accounts.sealed_text import SealedBytes
from backend.aftercare.models import CopingStep, SupportContact
from backend.tracking.models import CheckIn
from tests.aftercare.test_own_items import CONTACTS, STEPS, a_contact, a_step
from tests.intake.test_sync import amend, create, statuses, sync
from tests.people import People
from tests.phones import Phone

KINDS = pytest.mark.parametrize(
    ("name", "path", "make", "field"),
    [("coping_step", STEPS, a_step, "words"), ("support_contact", CONTACTS, a_contact, "name")],
    ids=["step", "contact"],
)


def made(name: str, item: Any) -> dict[str, Any]:
    return {"op": "create", "type": name, "item": item}


def changed(kind: str, item_id: str, base_revision: int, **changes: Any) -> dict[str, Any]:
    return {**amend(item_id, base_revision, **changes), "type": kind}


def removed(name: str, item_id: str) -> dict[str, Any]:
    return {"op": "withdraw", "type": name, "id": item_id}


@KINDS
def test_made_changed_and_removed_and_all_of_it_again(
    phone: Phone, name: str, path: str, make: Any, field: str
) -> None:
    item = make()
    item_id = item["id"]
    changes = [
        made(name, item),
        changed(name, item_id, 1, **{field: "Another one"}),
        changed(name, item_id, 1, **{field: "Another one"}),
        removed(name, item_id),
    ]
    answer = sync(phone, *changes)
    assert statuses(answer) == ["created", "amended", "replayed", "withdrawn"]
    assert [one["revision"] for one in answer["results"]] == [1, 2, 2, 3]
    assert {one["id"] for one in answer["results"]} == {item_id}
    again = sync(phone, *changes)
    assert statuses(again) == ["gone", "gone", "gone", "replayed"]
    assert phone.get(path).json()["results"] == []
    acts = (
        AuditEvent.objects.filter(object_kind=name).order_by("pk").values_list("action", flat=True)
    )
    assert list(acts) == [f"{name}.store", f"{name}.amend", f"{name}.remove"]


@KINDS
def test_another_phone_is_given_it_and_then_a_tombstone(
    phone: Phone, people: People, name: str, path: str, make: Any, field: str
) -> None:
    tablet = Phone.of(people.patient_user)
    start = sync(tablet)["cursor"]
    item = make()
    first = sync(phone, made(name, item))
    assert first["changes"] == []
    (new,) = (seen := sync(tablet, cursor=start))["changes"]
    assert (new["type"], new["id"], new["revision"], new["withdrawn"]) == (
        name,
        item["id"],
        1,
        False,
    )
    assert new["item"] == phone.get(path).json()["results"][0]
    assert sync(tablet, cursor=seen["cursor"])["changes"] == []
    headers = {"if-match": '"1"'}
    assert (
        phone.request("PATCH", f"{path}/{item['id']}", {field: "Two"}, **headers).status_code == 200
    )
    (new,) = (seen := sync(tablet, cursor=seen["cursor"]))["changes"]
    assert (new["item"][field], new["revision"]) == ("Two", 2)
    phone.request("DELETE", f"{path}/{item['id']}")
    (gone,) = sync(tablet, cursor=seen["cursor"])["changes"]
    assert gone == {"type": name, "id": item["id"], "revision": 3, "withdrawn": True, "item": None}


@KINDS
def test_a_conflict_carries_the_servers_copy_and_overwrites_nothing(
    phone: Phone, name: str, path: str, make: Any, field: str
) -> None:
    item = make()
    sync(phone, made(name, item))
    answer = sync(
        phone,
        made(name, {**item, field: "Other"}),
        changed(name, item["id"], 7, **{field: "Third"}),
    )
    assert statuses(answer) == ["conflict", "conflict"]
    assert [one["stored"][field] for one in answer["results"]] == [item[field]] * 2
    assert [one["problem"]["code"] for one in answer["results"]] == ["item_conflict"] * 2
    assert phone.get(path).json()["results"][0][field] == item[field]


@KINDS
def test_another_persons_is_a_conflict_without_a_copy(
    phone: Phone, people: People, name: str, path: str, make: Any, field: str
) -> None:
    assert people.other_patient.user is not None
    theirs = Phone.of(people.other_patient.user)
    item = make(**{field: "Theirs alone"})
    sync(theirs, made(name, item))
    mine = make(id=item["id"])
    answer = sync(
        phone, made(name, mine), changed(name, item["id"], 1, order=3), removed(name, item["id"])
    )
    codes = [one["problem"]["code"] for one in answer["results"]]
    assert codes == ["id_in_use", "not_found", "not_found"]
    assert [one["stored"] for one in answer["results"]] == [None] * 3
    assert "Theirs alone" not in str(answer)
    assert theirs.get(path).json()["results"][0]["revision"] == 1


@KINDS
def test_a_bad_one_spoils_nothing(
    phone: Phone, name: str, path: str, make: Any, field: str
) -> None:
    good, bad = make(), make(**{field: "  "})
    answer = sync(
        phone,
        create(mood=6),
        made(name, bad),
        made(name, good),
        made(name, "words"),
        made(name, {"id": str(uuid4()), "nonsense": 1}),
        changed(name, good["id"], 1, nonsense=1),
        changed(name, good["id"], 1, **{field: ""}),
        create(mood=5),
    )
    said = statuses(answer)
    assert said == ["created", "invalid", "created", *["invalid"] * 4, "created"]
    assert answer["results"][1]["id"] == bad["id"]
    assert answer["results"][1]["problem"]["errors"][0]["pointer"] == f"/{field}"
    assert CheckIn.objects.count() == 2
    assert [row["id"] for row in phone.get(path).json()["results"]] == [good["id"]]


def test_what_does_not_open_hides_none_of_the_others(phone: Phone, people: People) -> None:
    broken, whole, contact = a_step(), a_step(), a_contact()
    items = [
        made("coping_step", broken),
        made("coping_step", whole),
        made("support_contact", contact),
    ]
    sync(phone, *items)
    CopingStep.objects.filter(pk=broken["id"]).update(
        words=SealedBytes(b"\x01 no such text at all")
    )
    answer = sync(Phone.of(people.patient_user))
    assert [one["id"] for one in answer["changes"]] == [whole["id"], contact["id"]]


def test_all_kinds_come_in_the_order_in_which_they_changed(phone: Phone, people: People) -> None:
    check_in, step, contact = create(mood=6), a_step(), a_contact()
    sync(phone, made("support_contact", contact), check_in, made("coping_step", step))
    sync(phone, changed("support_contact", contact["id"], 1, order=2))
    found = sync(Phone.of(people.patient_user))["changes"]
    assert [one["type"] for one in found] == ["check_in", "coping_step", "support_contact"]


def test_after_an_erasure_of_what_the_cursor_named_it_starts_over(phone: Phone) -> None:
    step = a_step()
    cursor = sync(phone, made("coping_step", step))["cursor"]
    assert sync(phone, cursor=cursor)["starts_over"] is False
    CopingStep.objects.all().delete()
    assert sync(phone, cursor=cursor)["starts_over"] is True


def test_check_ins_alone_touch_none_of_it_beyond_the_one_read(phone: Phone) -> None:
    cursor = sync(phone)["cursor"]
    with CaptureQueriesContext(
        connection,
    ) as asked:
        sync(phone, create(mood=6), create(mood=5), cursor=cursor)
    tables = (CopingStep._meta.db_table, SupportContact._meta.db_table)
    touched = [one["sql"] for one in asked if any(table in one["sql"] for table in tables)]
    assert len([sql for sql in touched if "tracking_syncepoch" in sql]) == 1
    assert len(touched) == 1


def test_more_than_there_may_be_is_a_conflict(phone: Phone) -> None:
    answer = sync(phone, *[made("coping_step", a_step()) for _ in range(52)])
    assert statuses(answer) == [*["created"] * 50, "conflict", "conflict"]
    assert answer["results"][-1]["problem"]["code"] == "too_many_items"
    assert UUID(answer["results"][-1]["id"])
