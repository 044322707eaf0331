"""What holds an erasure up, who cannot do it, what a restore undoes; and nothing is forgotten."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from backend.accounts.actor import Actor
from backend.accounts.models import AuditEvent, Patient
from backend.accounts.patient_tables import Fate
from backend.aftercare.models import (
    Alert,
)
from backend.notifications.models import Notification
from backend.privacy import services
from backend.privacy.models import Erasure, LegalHold
from backend.privacy.registry import NOT_A_PATIENTS, TABLES
from backend.privacy.services import erasing_again
from backend.tracking.models import CheckIn, CheckInRevision
from tests.people import People
from tests.phones import Phone
from tests.privacy.leaving import (
    ask,
    later,
    live_a_little,
    make_due,
    raw,
    rows_of,
)

# Holding it up ---------------------------------------------------------------------------------


def hold(people: People, method: str = "PUT", who: Any = None) -> Any:
    office = Phone.of(who or people.administrator.user)
    path = f"/patients/{people.patient.pk}/legal-hold"
    body = {"reason": "A court has asked for it."} if method == "PUT" else None
    return office.request(method, path, body)


def test_a_legal_hold_keeps_everything_until_it_is_lifted(asked: Phone, people: People):
    assert [hold(people).status_code for _ in range(2)] == [201, 200]
    assert asked.get("/me/erasure").json()["status"] == "held"
    before = rows_of(people.patient)
    assert services.erase_due(now=timezone.now()) == 0
    assert rows_of(people.patient) == before
    with pytest.raises(DatabaseError, match="no erasure is due"), transaction.atomic():
        raw("SELECT privacy_erase_history(%s)", Erasure.objects.get().pk)
    assert hold(people, "DELETE").status_code == 204
    assert hold(people, "DELETE").status_code == 204
    assert services.erase_due(now=timezone.now()) == 1
    assert LegalHold.objects.get().lifted_by_id == people.administrator.user_id


def test_another_reason_does_not_replace_the_one_that_stands(people: People):
    hold(people)
    other = {"reason": "Another proceeding altogether."}
    path = f"/patients/{people.patient.pk}/legal-hold"
    answer = Phone.of(people.administrator.user).put(path, other)
    assert (answer.status_code, answer.json()["code"]) == (409, "legal_hold_stands")


def test_while_a_message_is_being_sent_it_waits(asked: Phone, people: People):
    pending = Notification.objects.filter(patient=people.patient, recipient=people.patient_user)
    first = pending.first()
    assert first is not None
    lease = {"lease_token": uuid4(), "lease_expires_at": later()}
    Notification.objects.filter(pk=first.pk).update(settled_at=None, outcome="", **lease)
    assert services.erase_due(now=timezone.now()) == 0
    Notification.objects.filter(pk=first.pk).update(lease_token=None, lease_expires_at=None)
    assert services.erase_due(now=timezone.now()) == 1


# Nobody else ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "table",
    ["tracking_checkinrevision", "tracking_checkin", "aftercare_alertact", "privacy_erasure",
     "privacy_legalhold", "tracking_erasedcheckin"],
)  # fmt: skip
def test_the_web_process_takes_no_row_away(table: str, people: People):
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        raw(f"DELETE FROM {table}")


@pytest.mark.parametrize("table", ["tracking_checkinrevision", "privacy_erasure"])
def test_nor_does_the_worker_from_history(
    table: str, committed_db: None, people: People, as_worker: None
):
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        raw(f"DELETE FROM {table}")


def test_the_web_process_cannot_ask_the_database_to(people: People, phone: Phone):
    ask(phone)
    make_due()
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        raw("SELECT privacy_erase_history(%s)", Erasure.objects.get().pk)


def test_history_is_not_taken_away_before_its_day(
    committed_db: None, people: People, as_worker: None
):
    phone = live_a_little(people.patient)
    ask(phone)
    for erasure_id in (Erasure.objects.get().pk, uuid4()):
        with pytest.raises(DatabaseError, match="no erasure is due"), transaction.atomic():
            raw("SELECT privacy_erase_history(%s)", erasure_id)
    assert CheckInRevision.objects.exists()


# The clinic's record ---------------------------------------------------------------------------


def test_the_clinics_record_ends_when_its_time_is_over(asked: Phone, people: People):
    services.erase_due(now=timezone.now())
    patient = people.patient
    assert Patient.objects.get(pk=patient.pk).given_name == "Alice"
    assert services.erase_due(now=later(7 * 365)) == 0
    assert services.erase_due(now=later(7 * 366)) == 1
    assert services.erase_due(now=later(7 * 366)) == 0
    ended = Patient.objects.get(pk=patient.pk)
    assert (ended.given_name, ended.family_name, ended.born_on) == ("", "", None)
    assert not Alert.objects.filter(patient=patient).exists()
    assert AuditEvent.objects.filter(patient_id=patient.pk).exists()
    assert Erasure.objects.get(patient=patient).record_ended_at is not None


# After a restore -------------------------------------------------------------------------------


def test_who_was_erased_after_the_back_up_is_erased_again(asked: Phone, people: People):
    """The database as it was before: the wish is there, or is not, and is not done."""
    erasure_id, at = Erasure.objects.get().pk, timezone.now()
    actor = Actor.system("replay_journal")
    again: dict[str, Any] = {"actor": actor, "patient_id": people.patient.pk, "at": at}
    with transaction.atomic():
        assert erasing_again.erase_again(erasure_id=erasure_id, **again) is True
    assert not CheckIn.objects.filter(patient=people.patient).exists()
    with transaction.atomic():
        assert erasing_again.erase_again(erasure_id=erasure_id, **again) is False


def test_a_back_up_without_the_wish_erases_as_well(
    committed_db: None, people: People, as_worker: None
):
    live_a_little(people.patient)
    actor, erasure_id = Actor.system("replay_journal"), uuid4()
    with transaction.atomic():
        assert erasing_again.erase_again(
            actor=actor, patient_id=people.patient.pk, erasure_id=erasure_id, at=timezone.now()
        )
        assert not erasing_again.erase_again(
            actor=actor, patient_id=uuid4(), erasure_id=uuid4(), at=timezone.now()
        )
    assert not CheckIn.objects.filter(patient=people.patient).exists()
    assert Erasure.objects.get(pk=erasure_id).done_at is not None


def test_a_hold_that_the_back_up_still_has_stops_the_restore(asked: Phone, people: People):
    hold(people)
    standing = LegalHold.objects.get()
    again: dict[str, Any] = {
        "actor": Actor.system("replay_journal"),
        "patient_id": people.patient.pk,
        "erasure_id": Erasure.objects.get().pk,
        "at": timezone.now(),
    }
    with pytest.raises(erasing_again.NotErasedError), transaction.atomic():
        erasing_again.erase_again(**again)
    assert CheckIn.objects.filter(patient=people.patient).exists()
    lifted: dict[str, Any] = {
        "hold_id": standing.pk,
        "user_id": standing.set_by_id,
        "at": timezone.now(),
    }
    assert erasing_again.lift_again(**lifted) is True
    with transaction.atomic():
        assert erasing_again.erase_again(**again) is True


def test_a_wish_that_was_taken_back_stays_taken_back(asked: Phone, people: People):
    erasure_id = Erasure.objects.get().pk
    assert erasing_again.cancel_again(erasure_id=erasure_id, at=timezone.now()) is True
    assert erasing_again.cancel_again(erasure_id=erasure_id, at=timezone.now()) is False
    assert services.erase_due(now=later()) == 0


# Nothing is forgotten --------------------------------------------------------------------------

# Whoever points, in however many steps, to a patient or to an account, or names a patient by id.
_TIED = """
WITH RECURSIVE tied(oid) AS (
    SELECT unnest(ARRAY['accounts_patient', 'accounts_user']::regclass[])::oid
    UNION
    SELECT c.conrelid FROM pg_constraint c JOIN tied ON c.confrelid = tied.oid
     WHERE c.contype = 'f'
)
SELECT relname FROM pg_class WHERE oid IN (SELECT oid FROM tied)
UNION
SELECT table_name FROM information_schema.columns
 WHERE table_schema = 'public' AND column_name IN ('patient_id', 'email', 'user_id')
"""


def test_every_table_with_a_patient_is_in_the_export_and_in_the_erasure(people: People):
    tied = {name for (name,) in raw(_TIED)}
    listed = {table.table for table in TABLES}
    assert {"tracking_checkinrevision", "accounts_accesstoken", "accounts_passwordreset"} <= tied
    assert tied - listed - set(NOT_A_PATIENTS) == set(), "say in its patient_data.py what it is"
    assert listed - tied == set()
    assert set(NOT_A_PATIENTS) & listed == set()


def test_what_stays_or_does_not_leave_says_why():
    for table in TABLES:
        assert table.erasure is Fate.DELETED or table.kept_because or table.blank, table.table
        assert bool(table.name) != bool(table.not_exported_because), table.table
        blanked = Fate.BLANKED in (table.erasure, table.record_end)
        assert bool(table.blank) is blanked, table.table


def test_tables_that_others_point_to_come_later(people: People):
    order = [table.table for table in TABLES if table.erasure is Fate.DELETED]
    points = raw(
        "SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint"
        " WHERE contype = 'f' AND conrelid <> confrelid"
    )
    for child, parent in points:
        if child in order and parent in order:
            assert order.index(child) < order.index(parent), (child, parent)
