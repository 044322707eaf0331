"""Coping steps and support contacts: made by the phone, the patient's alone, shown when needed."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from structlog.testing import capture_logs

from backend.accounts import patient_keys
from backend.accounts.consent_scopes import ConsentScope
from backend.accounts.models import AuditEvent, Consent
from backend.accounts.recipients import Recipient
from backend.accounts.sealed_text import SealedBytes
from backend.accounts.services import revoke_consent
from backend.aftercare.models import CopingStep, SupportContact
from backend.notifications.models import Notification
from tests.accounts.consenting import own, sign
from tests.people import People
from tests.phones import Phone, check_in_body

STEPS, CONTACTS = "/me/coping-steps", "/me/support-contacts"


def a_step(**items: Any) -> dict[str, Any]:
    return {"id": str(uuid4()), "words": "Walk to the river", "cues": ["payday"], **items}


def a_contact(**items: Any) -> dict[str, Any]:
    return {"id": str(uuid4()), "name": "Maria", "relation": "sponsor", **items}


KINDS = pytest.mark.parametrize(
    ("path", "make"), [(STEPS, a_step), (CONTACTS, a_contact)], ids=["step", "contact"]
)


@KINDS
def test_it_is_stored_once_and_listed(phone: Phone, path: str, make: Any):
    body = make()
    assert phone.post(path, body).status_code == 201
    again = phone.post(path, body)
    assert (again.status_code, again["ETag"]) == (200, '"1"')
    (listed,) = phone.get(path).json()["results"]
    assert listed == again.json()
    assert listed.items() >= body.items()


@KINDS
def test_one_that_does_not_open_hides_none_of_the_others(phone: Phone, path: str, make: Any):
    broken, whole = make(), make()
    for body in (broken, whole):
        phone.post(path, body)
    for kind in (CopingStep, SupportContact):
        kind.objects.filter(pk=broken["id"]).update(words=SealedBytes(b"\x01 no such text at all"))
    with capture_logs() as said:
        answer = phone.get(path)
    assert answer.status_code == 200
    assert [row["id"] for row in answer.json()["results"]] == [whole["id"]]
    assert [line["event"] for line in said] == ["own_item_unreadable"]


@KINDS
def test_other_content_under_the_id_overwrites_nothing(phone: Phone, path: str, make: Any):
    body = make()
    phone.post(path, body)
    refused = phone.post(path, {**body, "order": 7})
    assert (refused.status_code, refused.json()["code"]) == (409, "item_conflict")
    assert refused.json()["stored"]["order"] == 0
    assert phone.get(path).json()["results"][0]["order"] == 0


@KINDS
def test_another_patients_id_shows_nothing_of_theirs(
    people: People, phone: Phone, path: str, make: Any
):
    body = make()
    assert people.other_patient.user is not None
    Phone.of(people.other_patient.user).post(path, body)
    refused = phone.post(path, body)
    assert (refused.status_code, refused.json()["code"]) == (409, "id_in_use")
    assert "stored" not in refused.json()
    for answer in (
        phone.request("PATCH", f"{path}/{body['id']}", {"order": 3}, **{"if-match": '"1"'}),
        phone.request("DELETE", f"{path}/{body['id']}"),
    ):
        assert answer.status_code == 404
    assert phone.get(path).json()["results"] == []


@KINDS
def test_a_change_names_the_revision_it_was_made_on(phone: Phone, path: str, make: Any):
    body = make()
    phone.post(path, body)
    address = f"{path}/{body['id']}"
    assert phone.request("PATCH", address, {"order": 3}).json()["code"] == "if_match_required"
    changed = phone.request("PATCH", address, {"order": 3}, **{"if-match": '"1"'})
    assert (changed.status_code, changed["ETag"], changed.json()["order"]) == (200, '"2"', 3)
    replayed = phone.request("PATCH", address, {"order": 3}, **{"if-match": '"1"'})
    assert (replayed.status_code, replayed["ETag"]) == (200, '"2"')
    stale = phone.request("PATCH", address, {"order": 4}, **{"if-match": '"1"'})
    assert (stale.status_code, stale.json()["stored"]["revision"]) == (409, 2)


@KINDS
def test_what_was_removed_is_gone_and_stays_so(phone: Phone, path: str, make: Any):
    body = make(words="Only I know this")
    phone.post(path, body)
    address = f"{path}/{body['id']}"
    assert phone.request("DELETE", address).status_code == 204
    assert phone.request("DELETE", address).status_code == 204
    assert phone.get(path).json()["results"] == []
    assert phone.post(path, body).json()["code"] == "item_removed"
    changed = phone.request("PATCH", address, {"order": 1}, **{"if-match": '"2"'})
    assert changed.json()["code"] == "item_removed"
    row = (CopingStep if path == STEPS else SupportContact).objects.get()
    assert row.words == ""
    assert getattr(row, "name", "") == getattr(row, "phone", "") == ""
    assert AuditEvent.objects.filter(action__endswith=".remove").count() == 1


@KINDS
def test_the_audit_log_holds_no_word_of_it(phone: Phone, path: str, make: Any):
    body = make(words="canary-words")
    phone.post(path, body)
    phone.request("PATCH", f"{path}/{body['id']}", {"words": "canary-2"}, **{"if-match": '"1"'})
    events = AuditEvent.objects.filter(object_id=body["id"]).order_by("at")
    assert [event.action.partition(".")[2] for event in events] == ["store", "amend"]
    assert events[1].facts == {"fields": ["words"]}


@KINDS
def test_the_table_holds_no_word_of_it(phone: Phone, path: str, make: Any):
    phone.post(path, make(words="canary-words"))
    table = (CopingStep if path == STEPS else SupportContact)._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT row_to_json(t)::text FROM {table} AS t")
        (stored,) = cursor.fetchone()
    raw = bytes.fromhex("".join(re.findall(r"x([0-9a-f]{20,})", stored)))
    assert b"canary" not in raw
    assert "canary" not in stored
    assert "Maria" not in stored
    assert phone.get(path).json()["results"][0]["words"] == "canary-words"


@KINDS
@pytest.mark.parametrize("role", ["therapist", "administrator"])
def test_staff_have_no_way_to_them(people: People, path: str, make: Any, role: str):
    staff = Phone.of(getattr(people, role).user)
    assert staff.get(path).status_code == staff.post(path, make()).status_code == 403


@pytest.mark.parametrize(
    ("items", "pointer"),
    [
        ({"words": "  "}, "/words"),
        ({"words": "x" * 501}, "/words"),
        ({"cues": ["x"] * 21}, "/cues"),
        ({"order": -1}, "/order"),
    ],
)
def test_a_step_that_cannot_be_kept_is_refused(phone: Phone, items: Any, pointer: str):
    refused = phone.post(STEPS, a_step(**items))
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["pointer"] == pointer
    assert not CopingStep.objects.exists()


def test_there_is_an_end_to_how_many(phone: Phone):
    for number in range(50):
        assert phone.post(STEPS, a_step(order=number)).status_code == 201
    refused = phone.post(STEPS, a_step())
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_items")
    assert CopingStep.objects.count() == 50


# Where they are shown ---------------------------------------------------------------------------


def shown(answer: Any) -> list[str]:
    assert answer.status_code in (200, 201), answer.content
    return [step["words"] for step in answer.json()["support"]["coping_steps"]]


def test_an_acute_check_in_is_answered_with_the_steps_for_its_cue(phone: Phone):
    for number, (words, cues) in enumerate(
        [("Breathe", []), ("Call Maria", ["argument"]), ("Leave the pub", ["payday"])]
    ):
        phone.post(STEPS, a_step(words=words, cues=cues, order=number))
    phone.post(CONTACTS, a_contact(phone="+1 555 0100"))
    answer = phone.post("/check-ins", check_in_body(craving=9, cues=["payday"]))
    assert shown(answer) == ["Leave the pub", "Breathe", "Call Maria"]
    (contact,) = answer.json()["support"]["support_contacts"]
    assert (contact["name"], contact["phone"]) == ("Maria", "+1 555 0100")
    assert "words" not in contact


@pytest.mark.parametrize("table", ["aftercare_copingstep", "aftercare_supportcontact"])
def test_help_does_not_fail_for_an_own_item_that_cannot_be_opened(
    people: People, phone: Phone, table: str
):
    """What was sealed for another row does not open, as after a key was lost."""
    phone.post(STEPS, a_step(words="Breathe", cues=[]))
    phone.post(CONTACTS, a_contact())
    column = {"aftercare_copingstep": "words", "aftercare_supportcontact": "name"}[table]
    sealed = patient_keys.seal(people.patient.pk, table, column, uuid4(), "elsewhere")
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {column} = %s", [sealed])
        assert cursor.rowcount == 1
    answer = phone.post("/check-ins", check_in_body(craving=9))
    assert answer.status_code == 201
    support = answer.json()["support"]
    assert support["is_acute"]
    assert support["texts"]
    assert support["crisis_resources"]
    for given in (support, phone.get("/me/help").json(), phone.get("/me/safety-bundle").json()):
        is_step = table == "aftercare_copingstep"
        assert len(given["coping_steps"]) == (0 if is_step else 1)
        assert len(given["support_contacts"]) == (1 if is_step else 0)


def test_what_helped_before_comes_first(phone: Phone):
    phone.post(STEPS, a_step(words="Breathe", cues=[]))
    phone.post(STEPS, a_step(words="Call Maria", cues=[], order=1))
    phone.post("/check-ins", check_in_body(mood=6, helped=["call maria"]))
    assert shown(phone.post("/check-ins", check_in_body(craving=9))) == ["Call Maria", "Breathe"]


def test_an_archived_and_a_removed_step_are_not_shown(phone: Phone):
    phone.post(STEPS, a_step(words="Old", is_archived=True))
    removed = a_step(words="Gone")
    phone.post(STEPS, removed)
    phone.request("DELETE", f"{STEPS}/{removed['id']}")
    assert shown(phone.post("/check-ins", check_in_body(craving=9))) == []
    assert [one["words"] for one in phone.get(STEPS).json()["results"]] == ["Old"]


def test_help_and_the_bundle_carry_them_and_only_ones_own(people: People, phone: Phone):
    phone.post(STEPS, a_step())
    before = phone.get("/me/safety-bundle")
    phone.post(CONTACTS, a_contact())
    bundle = phone.get("/me/safety-bundle", **{"if-none-match": before["ETag"]})
    assert bundle.status_code == 200
    for answer in (bundle.json(), phone.get("/me/help").json()):
        assert [one["words"] for one in answer["coping_steps"]] == ["Walk to the river"]
        assert [one["name"] for one in answer["support_contacts"]] == ["Maria"]
    assert people.other_patient.user is not None
    other = Phone.of(people.other_patient.user)
    for path in ("/me/safety-bundle", "/me/help"):
        answer = other.get(path).json()
        assert answer["coping_steps"] == answer["support_contacts"] == []


def statements(phone: Phone, **items: Any) -> list[str]:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert phone.post("/check-ins", check_in_body(**items)).status_code == 201
    return [query["sql"] for query in captured.captured_queries]


def test_a_calm_check_in_pays_nothing_for_them_and_a_hard_one_one_statement(phone: Phone):
    phone.post(STEPS, a_step())
    reads = [
        [sql for sql in statements(phone, **items) if "aftercare_copingstep" in sql]
        for items in ({"mood": 6}, {"craving": 9})
    ]
    assert [len(found) for found in reads] == [0, 1]
    assert "aftercare_supportcontact" in reads[1][0]


# Support contacts -------------------------------------------------------------------------------


def test_nobody_is_told_anything_by_being_chosen_or_removed(phone: Phone):
    body = a_contact(email="maria@example.org", situations=["not_safe", "asked"])
    phone.post(CONTACTS, body)
    phone.request("DELETE", f"{CONTACTS}/{body['id']}")
    phone.post(CONTACTS, a_contact(situations=["not_safe"]))
    told_before = Notification.objects.count()
    phone.post("/check-ins", check_in_body(not_safe=True))
    rows = Notification.objects.all()
    assert told_before == 0
    assert all("contact" not in row.key for row in rows)


def test_a_preview_is_word_for_word_and_says_why_it_is_not_sent(people: People, phone: Phone):
    body = a_contact(languages=["es"], situations=["asked"], words="Llámame, por favor.")
    phone.post(CONTACTS, body)
    rows = phone.get(f"{CONTACTS}/{body['id']}/preview").json()["results"]
    by_situation = {row["situation"]: row for row in rows}
    assert len(by_situation) == 5
    said = by_situation["asked"]
    assert said["text"] == (
        "Alice te pide que te pongas en contacto. En sus propias palabras: Llámame, por favor."
    )
    assert said["why_not"] == "no_consent"
    assert by_situation["silence"]["why_not"] == "not_chosen"
    assert not Notification.objects.exists()


def test_a_consent_for_this_contact_covers_what_it_names_until_it_is_taken_back(
    people: People, phone: Phone
):
    body = a_contact(situations=["asked", "silence"])
    phone.post(CONTACTS, body)

    def why_not() -> dict[str, str]:
        rows = phone.get(f"{CONTACTS}/{body['id']}/preview").json()["results"]
        return {row["situation"]: row["why_not"] for row in rows}

    recipient = Recipient("support_contact", "Maria", contact_id=UUID(body["id"]))
    sign(people.patient, recipient=Recipient("support_contact", "Else", contact_id=uuid4()))
    sign(people.patient, recipient=recipient, purpose="housing")
    assert why_not()["asked"] == "no_consent"
    for_alerts = sign(
        people.patient, recipient=recipient, scopes=(ConsentScope.ALERTS,), situations=("asked",)
    )
    assert why_not() == {
        "asked": "not_agreed",
        "silence": "no_consent",
        "strong_craving": "not_chosen",
        "use_reported": "not_chosen",
        "not_safe": "not_chosen",
    }
    # Signed before a situation had to be covered by what is shown: it still tells of nothing.
    before = Consent.objects.get(pk=for_alerts.pk)
    before.pk, before.situations = uuid4(), ["asked", "silence"]
    before.save(force_insert=True)
    assert why_not()["silence"] == "no_consent"
    sign(people.patient, recipient=recipient)
    assert why_not()["silence"] == "not_agreed"
    SupportContact.objects.update(opted_in_at=timezone.now())
    assert (why_not()["asked"], why_not()["silence"]) == ("", "")
    for consent in Consent.objects.filter(patient=people.patient, purpose="support"):
        revoke_consent(actor=own(people.patient), consent_id=consent.pk, now=timezone.now())
    assert for_alerts.pk
    assert set(why_not().values()) == {"no_consent", "not_chosen"}
    assert not Notification.objects.exists()


def test_no_preview_tells_of_health_the_programme_or_what_was_recorded(phone: Phone):
    body = a_contact(situations=["use_reported", "strong_craving"])
    phone.post(CONTACTS, body)
    phone.post("/check-ins", check_in_body(craving=9, use_reported=True))
    said = phone.get(f"{CONTACTS}/{body['id']}/preview").content.decode().lower()
    for row in phone.get(f"{CONTACTS}/{body['id']}/preview").json()["results"]:
        for word in ("craving", "use", "recover", "treatment", "programme", "drug", "9"):
            assert word not in row["text"].lower()
    assert "maria" not in said


def test_a_phone_that_changes_asks_for_a_new_yes(people: People, phone: Phone):
    body = a_contact(phone="+1 555 0100")
    phone.post(CONTACTS, body)
    row = SupportContact.objects.get()
    row.opted_in_at = row.created_at
    row.save()
    address, match = f"{CONTACTS}/{body['id']}", {"if-match": '"1"'}
    kept = phone.request("PATCH", address, {"order": 2}, **match)
    assert kept.json()["opted_in_at"] is not None
    changed = phone.request("PATCH", address, {"phone": "+1 555 0101"}, **{"if-match": '"2"'})
    assert changed.json()["opted_in_at"] is None


def test_the_patient_cannot_say_yes_for_them(phone: Phone):
    refused = phone.post(CONTACTS, a_contact(opted_in_at="2026-01-01T00:00:00Z"))
    assert refused.status_code == 400
    assert not SupportContact.objects.exists()
