"""What is a patient's own goes for good, when they say so; the clinic's record stays, emptied."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import DatabaseError, transaction
from django.utils import timezone

from backend.accounts import patient_keys
from backend.accounts.models import AccessToken, AuditEvent, Device, Patient, PatientKey, User
from backend.accounts.patient_tables import Fate
from backend.aftercare.models import (
    AcuteReport,
    Alert,
    AlertAct,
)
from backend.notifications.models import Notification
from backend.privacy import services
from backend.privacy.models import Erasure
from backend.privacy.registry import TABLES
from backend.privacy.services import erasing
from backend.sealing import UnreadableError
from backend.tracking.models import CheckIn, ErasedCheckIn, PackedWindow
from tests.people import PASSWORD, People
from tests.phones import Phone, check_in_body
from tests.privacy.leaving import (
    CANARY,
    WEEK,
    ask,
    later,
    live_a_little,
    make_due,
    raw,
    rows_of,
    user_of,
)

# Asking ----------------------------------------------------------------------------------------


def test_the_password_is_asked_for_again(phone: Phone):
    answer = ask(phone, "not-my-password")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "wrong_password")
    assert not Erasure.objects.exists()


def test_asking_twice_is_one_wish_with_one_day(phone: Phone):
    first, second = ask(phone), ask(phone)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert (first.json()["status"], Erasure.objects.count()) == ("waiting", 1)
    asked = Erasure.objects.get()
    assert asked.due_at - asked.requested_at == WEEK
    assert AuditEvent.objects.filter(action="erasure.request").count() == 1


def test_the_organisation_says_how_many_days(people: People, phone: Phone):
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        call_command("set_retention", organisation="Riverside", grace_days=30, reason="policy")
    ask(phone)
    assert phone.get("/me/erasure").json()["status"] == "waiting"


def test_an_own_schedule_is_kept_to(committed_db: None, people: People, as_worker: None):
    call_command("set_retention", organisation="Riverside", grace_days=30, reason="policy")
    ask(Phone.of(people.patient_user))
    asked = Erasure.objects.get()
    assert asked.due_at - asked.requested_at == timedelta(days=30)


def test_it_can_be_taken_back_and_nothing_is_erased(
    committed_db: None, people: People, as_worker: None
):
    phone = live_a_little(people.patient)
    ask(phone)
    assert phone.request("DELETE", "/me/erasure").status_code == 204
    assert phone.request("DELETE", "/me/erasure").status_code == 404
    assert phone.get("/me/erasure").status_code == 404
    make_due()
    before = rows_of(people.patient)
    assert services.erase_due(now=later()) == 0
    assert rows_of(people.patient) == before
    assert ask(phone).status_code == 201  # and asked for anew


def test_before_its_day_nothing_is_erased_and_everything_works(
    committed_db: None, people: People, as_worker: None
):
    phone = live_a_little(people.patient)
    ask(phone)
    assert services.erase_due(now=later(6.9)) == 0
    assert phone.post("/check-ins", check_in_body(mood=6)).status_code == 201


# Erasing ---------------------------------------------------------------------------------------


def test_what_is_theirs_is_gone_and_the_clinics_record_is_emptied(asked: Phone, people: People):
    patient, before = people.patient, rows_of(people.patient)
    assert all(before[name] for name in ("check_ins", "check_ins_before_changes", "alerts",
               "what_led_to_alerts", "reports_heard", "messages", "coping_steps",
               "support_contacts", "phones", "sign_ins", "messages_about_you"))  # fmt: skip
    assert services.erase_due(now=timezone.now()) == 1
    for table in TABLES:
        assert table.left(patient.pk, table.erasure) == 0, table.table
    after = rows_of(patient)
    kept = {t.name or t.table for t in TABLES if t.erasure is not Fate.DELETED}
    assert {name: after[name] for name in kept - {"who_did_what"}} == {
        name: before[name] for name in kept - {"who_did_what"}
    }
    assert set(Alert.objects.filter(patient=patient).values_list("outcome", flat=True)) == {
        "reached"
    }
    assert all(a.reasons == [] for a in Alert.objects.filter(patient=patient))
    assert {act.note for act in AlertAct.objects.filter(alert__patient=patient)} == {""}


def test_nothing_of_theirs_stands_anywhere_in_the_database(asked: Phone, people: People):
    live_tables = [
        name for (name,) in raw("SELECT tablename FROM pg_tables WHERE schemaname='public'")
    ]
    email = people.patient_user.email
    phones = [f"target-{CANARY}-{people.patient.pk}", email]
    assert services.erase_due(now=timezone.now()) == 1
    for name in live_tables:
        text = " ".join(row for (row,) in raw(f'SELECT t::text FROM "{name}" t'))
        assert not [word for word in phones if word in text], name


def test_the_days_that_are_packed_go_as_well(asked: Phone, people: People):
    for patient in (people.patient, people.other_patient):
        PackedWindow.objects.create(patient=patient, last_on=timezone.now().date(), days=b"days")
    services.erase_due(now=timezone.now())
    assert PackedWindow.objects.get().patient_id == people.other_patient.pk


def test_nobody_else_loses_anything(asked: Phone, people: People):
    before = rows_of(people.other_patient)
    assert services.erase_due(now=timezone.now()) == 1
    assert rows_of(people.other_patient) == before
    notes = {row.note for row in CheckIn.objects.filter(patient=people.other_patient)}
    assert notes == {CANARY}
    assert Phone.of(user_of(people.other_patient)).get("/check-ins").status_code == 200


def test_the_key_is_destroyed(asked: Phone, people: People):
    row = CheckIn.objects.filter(patient=people.patient).exclude(note="")[0]
    ((sealed,),) = raw("SELECT note FROM tracking_checkin WHERE id = %s", row.pk)
    place = ("tracking_checkin", "note", row.pk, bytes(sealed))
    assert patient_keys.unseal(people.patient.pk, *place) == CANARY
    services.erase_due(now=timezone.now())
    assert not PatientKey.objects.filter(patient=people.patient).exists()
    with pytest.raises(UnreadableError):
        patient_keys.unseal(people.patient.pk, *place)


def test_the_account_is_closed_and_no_phone_is_reached(asked: Phone, people: People):
    services.erase_due(now=timezone.now())
    assert asked.get("/check-ins").status_code == 401
    sign_in = {"email": people.patient_user.email, "password": PASSWORD}
    assert Phone().post("/sign-in", sign_in).status_code == 401
    user = User.objects.get(pk=people.patient_user.pk)
    assert (user.is_active, user.password) == (False, "")
    assert not AccessToken.objects.filter(user=user).exists()
    assert not Device.objects.filter(user=user).exists()
    assert not Notification.objects.filter(recipient=user).exists()
    assert Patient.objects.get(pk=people.patient.pk).discharged_at is not None


def test_what_was_counted_is_kept_and_says_that_nothing_is_left(asked: Phone, people: People):
    services.erase_due(now=timezone.now())
    done = Erasure.objects.get(patient=people.patient)
    assert done.erased["tracking_checkin"] == 2
    assert done.erased["tracking_checkinrevision"] == 1
    assert set(done.left.values()) == {0}
    assert set(done.left) == {t.table for t in TABLES if t.erasure is not Fate.KEPT}
    assert AuditEvent.objects.filter(action="erasure.done", patient_id=people.patient.pk).exists()


def test_it_is_done_once(asked: Phone, people: People):
    assert services.erase_due(now=timezone.now()) == 1
    done = Erasure.objects.get(patient=people.patient).done_at
    assert services.erase_due(now=timezone.now()) == 0
    assert Erasure.objects.get(patient=people.patient).done_at == done


def test_a_row_that_cannot_be_taken_away_undoes_all_of_it(
    asked: Phone, people: People, monkeypatch: pytest.MonkeyPatch
):
    before = rows_of(people.patient)
    stubborn = [t for t in TABLES if t.table != "tracking_assessment"]
    # As if a table had been forgotten in the order of deletion.
    monkeypatch.setattr(
        erasing, "TABLES", tuple(t for t in stubborn if t.table != "aftercare_alertevidence")
    )
    assert services.erase_due(now=timezone.now()) == 0
    assert rows_of(people.patient) == before
    assert asked.get("/check-ins").status_code == 200


def test_the_therapist_still_sees_that_there_were_alerts(asked: Phone, people: People):
    services.erase_due(now=timezone.now())
    path = f"/patients/{people.patient.pk}"
    therapist = Phone.of(people.therapist.user)
    answer = therapist.get(f"{path}/alerts")
    assert answer.status_code == 200 and answer.json()["results"]
    assert CANARY not in answer.content.decode()
    assert therapist.get(f"{path}/check-ins").json()["results"] == []


# Old phones ------------------------------------------------------------------------------------


def test_an_old_phone_brings_nothing_back(asked: Phone, people: People):
    erased = CheckIn.objects.filter(patient=people.patient).values_list("pk", flat=True)
    ids = [str(pk) for pk in erased]
    services.erase_due(now=timezone.now())
    assert ErasedCheckIn.objects.count() == len(ids) == 2
    # The same person, or whoever has the phone now, with a new account.
    phone = Phone.of(user_of(people.elsewhere_patient))
    before = raw("SELECT count(*) FROM accounts_auditevent"), AcuteReport.objects.count()
    for pk in ids:
        answer = phone.post("/check-ins", check_in_body(id=pk, not_safe=True, note=CANARY))
        assert (answer.status_code, answer.json()["code"]) == (410, "erased")
        assert answer.json()["crisis_resources"]
    change = {"type": "check_in", "op": "create"}
    changes = [{**change, "item": check_in_body(id=pk, not_safe=True)} for pk in ids]
    fresh = check_in_body(mood=6)
    changes.append({**change, "item": fresh})
    results = phone.post("/sync", {"changes": changes, "cursor": None}).json()["results"]
    assert [one["status"] for one in results] == ["gone", "gone", "created"]
    assert [one["id"] for one in results] == [*ids, fresh["id"]]
    assert {one["problem"]["code"] for one in results[:2]} == {"erased"}
    assert [str(pk) for pk in CheckIn.objects.filter(patient=people.elsewhere_patient)
            .values_list("pk", flat=True)] == [fresh["id"]]  # fmt: skip
    assert not Alert.objects.filter(patient=people.elsewhere_patient).exists()
    assert AcuteReport.objects.count() == before[1]
