"""What is asked without a cursor: the same rows, the same telling, the same refusals."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import DataError, OperationalError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backend.accounts import patient_keys
from backend.accounts.models import Patient
from backend.accounts.models.audit import AuditEvent
from backend.postgresql.asking import numbered
from backend.row_security import Acting, acting_as, acting_as_system
from backend.rows import every, one
from backend.tracking.models import CheckIn
from tests.conftest import owner_connection
from tests.people import People
from tests.phones import Phone, check_in_body

ROLE = "SELECT current_setting('handrail.role', true)"
VALUES: dict[str, Any] = {
    "uuid": UUID(int=7),
    "timestamptz": datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
    "date": date(2026, 3, 29),
    "text": "a quarter % of 'it'",
    "boolean": True,
    "integer": 70_000,
    "numeric": Decimal("7.25"),
    "bytea": b"\x00\xff",
    "jsonb": '{"mon": [["09:00", "17:00"]]}',
    "text[]": ["payday", "a, b"],
}


def asked(sql: str, values: Any = ()) -> tuple[Any, ...] | None:
    return one(sql, values)


@pytest.mark.parametrize("kind", VALUES)
def test_a_row_is_what_a_cursor_would_give(committed_db: None, kind: str):
    sql = f"SELECT %s::{kind}, %s::{kind} IS NULL"
    values: list[Any] = [VALUES[kind], None]
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        expected = cursor.fetchone()
    for _ in range(2):
        assert asked(sql, values) == expected


def test_a_time_carries_its_zone(committed_db: None):
    (found,) = asked("SELECT %s::timestamptz", [VALUES["timestamptz"]]) or ()
    assert found.utcoffset() == timezone.now().utcoffset()


def test_one_statement_after_another_each_has_its_own_types(committed_db: None):
    at = datetime(2026, 3, 2, 21, 14, tzinfo=UTC)
    for _ in range(2):
        assert asked("SELECT %s::int, %s::text", [1, "one"]) == (1, "one")
        assert asked("SELECT %s::text, %s::int8", ["one", 2**40]) == ("one", 2**40)
        assert asked("SELECT %s::timestamptz, %s::date", [at, at.date()]) == (at, at.date())
        assert asked("SELECT %s::numeric, %s::bytea", [Decimal("7.25"), b"\x00"]) == (
            Decimal("7.25"),
            b"\x00",
        )
        with pytest.raises(DataError):
            asked("SELECT %s::int / 0", [1])
        assert asked("SELECT %s::bool, %s::text", [None, None]) == (None, None)


def test_values_go_where_their_names_stand():
    made = numbered("SELECT %(b)s, %(a)s, %(b)s, 5 %% 3")
    assert made.command == b"SELECT $1, $2, $1, 5 % 3"
    assert made.ordered({"a": 1, "b": 2}) == [2, 1]
    assert numbered("SELECT %s, %s").command == b"SELECT $1, $2"


def test_who_acts_is_told_alone_and_within_a_transaction(committed_db: None):
    with acting_as(Acting("patient")):
        assert asked(ROLE) == ("patient",)
        with transaction.atomic():
            assert asked(ROLE) == ("patient",)
            with acting_as_system("a test of telling"):
                assert asked(ROLE) == ("system",)
            assert asked(ROLE) == ("patient",)
    with acting_as(None):
        assert asked(ROLE) in [("",), (None,)]
        with transaction.atomic():
            assert asked(ROLE) in [("",), (None,)]


def test_asking_and_cursors_mix_within_a_transaction(committed_db: None):
    with acting_as(Acting("clinician")), transaction.atomic():
        assert asked(ROLE) == ("clinician",)
        with connection.cursor() as cursor:
            cursor.execute(ROLE)
            assert cursor.fetchone() == ("clinician",)
        with acting_as(None):
            assert (asked(ROLE) or ("",))[0] == ""


def test_what_a_savepoint_took_back_is_told_again(committed_db: None):
    with acting_as(Acting("patient")), transaction.atomic():
        assert asked(ROLE) == ("patient",)
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            with acting_as(Acting("clinician")):
                assert asked(ROLE) == ("clinician",)
            raise ZeroDivisionError
        # Psycopg has let go of everything that was prepared.
        assert asked(ROLE) == ("patient",)


def test_nobody_acts_after_somebody_in_a_transaction_of_the_driver_either(committed_db: None):
    connection.ensure_connection()
    with connection.connection.transaction():
        with acting_as(Acting("clinician")):
            assert asked(ROLE) == ("clinician",)
        with acting_as(None):
            assert asked(ROLE) == ("",)


@pytest.mark.parametrize("is_told", [False, True])
def test_a_statement_that_fails_raises_and_the_next_one_is_answered(
    committed_db: None, is_told: bool
):
    acting = Acting("patient") if is_told else None
    with acting_as(acting):
        with pytest.raises(DataError):
            asked("SELECT 1 / %s::integer", [0])
        with pytest.raises(DataError), transaction.atomic():
            asked("SELECT 1 / %s::integer", [0])
        assert asked("SELECT 4 / %s::integer", [2]) == (2,)


def test_what_failed_in_a_transaction_leaves_nothing(committed_db: None, people: People):
    with pytest.raises(DataError), transaction.atomic():
        every("UPDATE accounts_patient SET country = 'XX' WHERE id = %s", [people.patient.pk])
        asked("SELECT 1 / %s::integer", [0])
    assert not Patient.objects.filter(country="XX").exists()


def test_a_connection_that_was_ended_is_said_and_made_anew(committed_db: None):
    (pid,) = asked("SELECT pg_backend_pid()") or (0,)
    with acting_as(Acting("patient")):
        with connections["audit"].cursor() as other:
            other.execute("SELECT pg_terminate_backend(%s)", [pid])
        with pytest.raises(OperationalError):
            asked("SELECT pg_sleep(1)")
            asked(ROLE)
        connection.close()
        assert asked(ROLE) == ("patient",)


def test_a_query_count_sees_it(committed_db: None):
    with CaptureQueriesContext(connection) as queries:
        assert asked(ROLE) is not None
    assert len(queries) == 1


def test_a_large_message_in_pieces_arrives(committed_db: None):
    """More than a socket takes at once, with what must come before it in the same message."""
    text = "x" * 4_000_000
    with acting_as(Acting("patient")):
        assert asked("SELECT length(%s::text)", [text]) == (len(text),)
        with transaction.atomic():
            assert asked("SELECT %s::text", [text]) == (text,)


# The note of a check-in -------------------------------------------------------------------------


def test_a_calm_check_in_is_two_round_trips(committed_db: None, people: People, tmp_path):
    phone = Phone.of(people.patient_user)
    for _ in range(3):  # the key is made, and everything prepared
        assert phone.post("/check-ins", check_in_body(mood=7, note="Fine")).status_code == 201
    raw = connection.connection.pgconn
    with (tmp_path / "trace").open("w+") as file:
        raw.trace(file.fileno())
        raw.set_trace_flags(psycopg.pq.Trace.SUPPRESS_TIMESTAMPS)
        assert phone.post("/check-ins", check_in_body(mood=7, note="Fine")).status_code == 201
        raw.untrace()
    kinds = [line.split("\t")[2].strip() for line in (tmp_path / "trace").read_text().splitlines()
             if line.startswith("F")]  # fmt: skip
    assert kinds.count("Sync") == 2
    assert "Query" not in kinds


@pytest.mark.parametrize("is_made_anew", [False, True])
def test_no_note_is_sealed_under_a_key_that_was_destroyed_while_it_waited(
    committed_db: None, people: People, is_made_anew: bool
):
    """The key came with the token; whoever destroys it holds the patient's row meanwhile."""
    phone = Phone.of(people.patient_user)
    assert phone.post("/check-ins", check_in_body(mood=7, note="Before")).status_code == 201
    anew = _rewrapped(people)
    holds, said, patient_id = threading.Event(), threading.Event(), people.patient.pk

    def destroy() -> None:
        # The owner stands in for the worker, which erases and wraps anew.
        with owner_connection() as owner, owner.transaction():
            owner.execute(
                "SELECT id FROM accounts_patient WHERE id = %s FOR NO KEY UPDATE", [patient_id]
            )
            holds.set()
            assert said.wait(20)
            _wait_for_a_lock(owner)
            if is_made_anew:
                owner.execute("UPDATE accounts_patientkey SET wrapped = %s", [anew])
            else:
                owner.execute("DELETE FROM accounts_patientkey")

    with ThreadPoolExecutor(1) as pool:
        destroying = pool.submit(destroy)
        assert holds.wait(20)
        said.set()
        body = check_in_body(mood=7, note="After")
        assert phone.post("/check-ins", body).status_code == 201
        destroying.result(20)
    stored = CheckIn.objects.get(pk=body["id"])
    patient_keys.forget(people.patient.pk)
    assert stored.note == "After"
    acts = AuditEvent.objects.filter(action="check_in.store", object_id=str(stored.pk))
    assert acts.count() == 1


def _wait_for_a_lock(owner: psycopg.Connection[Any]) -> None:
    """Until the check-in waits for the row that this transaction holds."""
    for _ in range(400):
        row = owner.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()
        if row and row[0]:
            return
        time.sleep(0.02)
    raise AssertionError("nobody waits")


def _rewrapped(people: People) -> bytes:
    """The same key, wrapped once more."""
    row = one("SELECT wrapped FROM accounts_patientkey WHERE patient_id = %s", [people.patient.pk])
    assert row is not None
    ring = patient_keys.key_ring()
    key = ring.unwrap(bytes(row[0]), key_id=ring.current, owner=people.patient.pk.bytes)
    return ring.wrap(key, owner=people.patient.pk.bytes)


def test_a_note_of_a_known_id_is_answered_as_it_stands(people: People):
    phone = Phone.of(people.patient_user)
    body = check_in_body(mood=7, note="Fine")
    assert phone.post("/check-ins", body).status_code == 201
    assert phone.post("/check-ins", body).status_code == 200
    assert phone.post("/check-ins", {**body, "note": "Other"}).status_code == 409
    assert CheckIn.objects.filter(pk=body["id"]).count() == 1
