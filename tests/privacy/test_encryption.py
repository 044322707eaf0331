"""What patients and clinicians write is sealed in the tables, and opens where it belongs alone."""

from __future__ import annotations

import base64
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backend.accounts import patient_keys
from backend.accounts.models import PatientKey
from backend.aftercare import services as aftercare
from backend.aftercare.models import Alert, AlertAct
from backend.sealing import UnreadableError
from backend.tracking.models import CheckIn, CheckInRevision
from tests.people import People, actor_for
from tests.phones import Phone, check_in_body
from tests.privacy.noting import (
    CANARY,
    amend,
    noted,
    phone_of,
    raw,
    read_note,
    stored_text,
)

# What stands in the tables ----------------------------------------------------------------------


def test_a_note_is_nowhere_in_the_tables_and_reads_as_it_was_written(phone: Phone):
    row = noted(phone, note=CANARY)
    amend(phone, row, note=f"{CANARY} again")
    for table in ("tracking_checkin", "tracking_checkinrevision", "accounts_auditevent"):
        words = stored_text(table)
        assert words and CANARY not in words
        assert CANARY.encode().hex() not in words
    assert CheckIn.objects.get().note == f"{CANARY} again"
    assert phone.get("/check-ins").json()["results"][0]["note"] == f"{CANARY} again"


def test_a_revision_keeps_the_former_note_sealed_in_its_own_place(phone: Phone):
    row = noted(phone, note=CANARY)
    amend(phone, row, note="")
    sealed = base64.b64decode(CheckInRevision.objects.get().content["note"])
    place = ("tracking_checkinrevision", "content.note")
    assert patient_keys.unseal(row.patient_id, *place, f"{row.pk}:1", sealed) == CANARY
    with pytest.raises(UnreadableError):
        patient_keys.unseal(row.patient_id, *place, f"{row.pk}:2", sealed)


def test_what_a_clinician_writes_about_an_alert_is_sealed(people: People, phone: Phone):
    phone.post("/check-ins", check_in_body(craving=9))
    aftercare.act_on_alert(
        actor=actor_for(people.therapist.user),
        patient_id=people.patient.pk,
        alert_id=Alert.objects.get().pk,
        act_id=uuid4(),
        note=CANARY,
        now=timezone.now(),
    )
    assert CANARY not in stored_text("aftercare_alertact")
    assert AlertAct.objects.get(kind="acted").note == CANARY


def test_the_same_note_twice_looks_different(phone: Phone):
    noted(phone, note=CANARY)
    noted(phone, note=CANARY)
    (first,), (second,) = raw("SELECT note FROM tracking_checkin")
    assert first != second


def test_what_a_check_in_is_compared_by_does_not_give_a_note_away(phone: Phone):
    body = check_in_body(mood=6)
    digests = set()
    for note in ("", "yes", "no"):
        sent = {**body, "id": str(uuid4()), "note": note}
        phone.post("/check-ins", sent)
        digests.add(bytes(CheckIn.objects.get(pk=sent["id"]).content_digest))
    assert len(digests) == 1


# What it costs ----------------------------------------------------------------------------------


def key_queries(captured: CaptureQueriesContext) -> list[str]:
    return [q["sql"] for q in captured.captured_queries if "patientkey" in q["sql"]]


def test_a_check_in_without_a_note_reads_no_key_and_makes_none(phone: Phone):
    with CaptureQueriesContext(connection) as captured:
        noted(phone)
    assert captured.captured_queries and key_queries(captured) == []
    assert not PatientKey.objects.exists()


def test_many_notes_are_sealed_with_one_key_read(phone: Phone):
    noted(phone, note="the first makes the key")
    changes = [
        {"type": "check_in", "op": "create", "item": check_in_body(mood=5, note=f"no. {n}")}
        for n in range(20)
    ]
    with CaptureQueriesContext(connection) as captured:
        answer = phone.post("/sync", {"changes": changes, "cursor": None})
    assert {one["status"] for one in answer.json()["results"]} == {"created"}
    # One to seal by, which is never a remembered one, and at most one to read by.
    assert 1 <= len(key_queries(captured)) <= 2


def test_a_page_of_notes_is_opened_with_one_key_read(phone: Phone, people: People):
    for n in range(5):
        noted(phone, note=f"no. {n}")
    patient_keys.forget(people.patient.pk)
    with CaptureQueriesContext(connection) as captured:
        shown = phone.get("/check-ins").json()["results"]
    assert {row["note"] for row in shown} == {f"no. {n}" for n in range(5)}
    assert len(key_queries(captured)) == 1


# Bound to its place -----------------------------------------------------------------------------


def test_a_note_moved_to_another_row_does_not_open(phone: Phone):
    first, second = noted(phone, note="mine"), noted(phone, note="other")
    raw(
        "UPDATE tracking_checkin SET note = (SELECT note FROM tracking_checkin WHERE id = %s)"
        " WHERE id = %s RETURNING 1",
        first.pk, second.pk,
    )  # fmt: skip
    with pytest.raises(UnreadableError):
        _ = CheckIn.objects.get(pk=second.pk).note
    assert CheckIn.objects.get(pk=first.pk).note == "mine"


def test_another_patients_key_opens_nothing(phone: Phone, people: People):
    row = noted(phone, note="mine")
    noted(phone_of(people.other_patient), note="theirs")
    ((sealed,),) = raw("SELECT note FROM tracking_checkin WHERE id = %s", row.pk)
    place = ("tracking_checkin", "note", row.pk, bytes(sealed))
    assert patient_keys.unseal(people.patient.pk, *place) == "mine"
    with pytest.raises(UnreadableError):
        patient_keys.unseal(people.other_patient.pk, *place)


def test_a_key_moved_to_another_patient_does_not_open(
    committed_db: None, people: People, as_worker: None
):
    row = noted(phone_of(people.patient), note="mine")
    noted(phone_of(people.other_patient), note="theirs")
    raw(
        "UPDATE accounts_patientkey k SET wrapped = o.wrapped FROM accounts_patientkey o"
        " WHERE k.patient_id = %s AND o.patient_id = %s RETURNING 1",
        people.patient.pk, people.other_patient.pk,
    )  # fmt: skip
    with pytest.raises(UnreadableError):
        read_note(row)


@pytest.mark.parametrize("cut", [0, 1, 12, 28, -1])
def test_what_is_cut_or_changed_does_not_open(cut: int, phone: Phone):
    row = noted(phone, note="mine")
    ((sealed,),) = raw("SELECT note FROM tracking_checkin")
    broken = bytes(sealed)[:cut] + bytes([bytes(sealed)[cut] ^ 1]) + bytes(sealed)[cut:][1:]
    with pytest.raises(UnreadableError):
        patient_keys.unseal(row.patient_id, "tracking_checkin", "note", row.pk, broken)


def test_only_whether_it_is_empty_can_be_asked_of_the_database(phone: Phone):
    noted(phone, note="mine")
    assert CheckIn.objects.exclude(note="").count() == 1
    with pytest.raises(TypeError, match="sealed"):
        CheckIn.objects.filter(note="mine").exists()


def test_what_is_sealed_is_not_shown_by_accident(phone: Phone):
    row = noted(phone, note="mine")
    (sealed,) = CheckIn.objects.filter(pk=row.pk).values_list("note", flat=True)
    assert (str(sealed), repr(sealed)) == ("<sealed>", "<sealed>")


# Replays ----------------------------------------------------------------------------------------


def test_a_replay_is_known_by_its_note_too(phone: Phone):
    body = check_in_body(mood=6, note="as it was")
    statuses = [
        phone.post("/check-ins", {**body, "note": note}).status_code
        for note in ("as it was", "as it was", "other", "")
    ]
    assert statuses == [201, 200, 409, 409]
    assert CheckIn.objects.get().note == "as it was"


def test_an_amendment_that_stands_already_is_a_replay(phone: Phone):
    row = noted(phone, note="as it was")
    amend(phone, row, note="other")
    amend(phone, row, note="other")
    assert (CheckIn.objects.get().revision, CheckInRevision.objects.count()) == (2, 1)
