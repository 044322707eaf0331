"""The connection tells who acts in each transaction, in one message with `BEGIN`."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from django.db import ProgrammingError, connection, connections, transaction

from backend.accounts.models import Patient
from backend.row_security import Acting, acting_as
from tests.people import People, make_patient

ROUNDS = 150
ROLE = "SELECT current_setting('handrail.role', true)"


@pytest.fixture
def sent(people: People, tmp_path: Path) -> Iterator[Callable[[], list[str]]]:
    """The kinds of messages that went to the server since, in their order."""
    connection.ensure_connection()
    file = (tmp_path / "trace").open("w+")
    raw = connection.connection.pgconn
    raw.trace(file.fileno())
    raw.set_trace_flags(psycopg.pq.Trace.SUPPRESS_TIMESTAMPS)

    def read() -> list[str]:
        raw.untrace()
        lines = [line.split("\t") for line in (tmp_path / "trace").read_text().splitlines()]
        return [line[2].strip() for line in lines if line[0] == "F"]

    yield read
    raw.untrace()
    file.close()


def role() -> str | None:
    with connection.cursor() as cursor:
        cursor.execute(ROLE)
        row = cursor.fetchone()
    assert row is not None
    return str(row[0] or "")


def test_beginning_and_telling_are_one_message(
    committed_db: None, people: People, sent: Callable[[], list[str]]
) -> None:
    acting = Acting("patient", people.patient_user.pk, people.patient.pk)
    with acting_as(acting), transaction.atomic():
        assert Patient.objects.count() == 1
    kinds = sent()
    assert kinds == ["Query"] * 3  # BEGIN with who acts, the question, COMMIT


def test_a_statement_of_its_own_is_one_round_trip(
    committed_db: None, people: People, sent: Callable[[], list[str]]
) -> None:
    with acting_as(Acting("patient", people.patient_user.pk, people.patient.pk)):
        assert Patient.objects.count() == 1
    kinds = sent()
    assert kinds.count("Sync") == 1
    assert kinds.count("Query") == 0


def test_nothing_told_outlives_its_transaction(committed_db: None) -> None:
    with acting_as(Acting("clinician")):
        assert role() == "clinician"
        with transaction.atomic():
            assert role() == "clinician"
    with acting_as(None):
        assert role() == ""
        with transaction.atomic():
            assert role() == ""


def test_a_statement_that_fails_tells_nothing_to_the_next(committed_db: None) -> None:
    with acting_as(Acting("clinician")), connection.cursor() as cursor:
        for _round in range(7):  # past the point from which statements are prepared
            with pytest.raises(Exception, match="division by zero"):
                cursor.execute("SELECT 1 / (%s::int - 1)", [1])
            cursor.execute(ROLE)
            assert cursor.fetchone() == ("clinician",)
    with acting_as(None):
        assert role() == ""


def test_many_values_at_once_are_told_too(committed_db: None, people: People) -> None:
    rows = [("X", people.patient.pk), ("X", people.other_patient.pk)]
    acting = Acting("patient", people.patient_user.pk, people.patient.pk)
    with acting_as(acting), connection.cursor() as cursor:
        cursor.executemany("UPDATE accounts_patient SET given_name = %s WHERE id = %s", rows)
    named = Patient.objects.filter(given_name="X").values_list("pk", flat=True)
    assert list(named) == [people.patient.pk]


def test_what_cannot_be_told_is_refused_and_not_answered_with_nothing(committed_db: None) -> None:
    with pytest.raises(ProgrammingError, match="open a transaction"):
        list(Patient.objects.iterator())
    with connection.cursor() as cursor, pytest.raises(psycopg.ProgrammingError, match="open a"):
        cursor.copy("COPY accounts_patient TO STDOUT").__enter__()
    with transaction.atomic():
        assert list(Patient.objects.iterator()) == []


# One pool, many people ------------------------------------------------------------------------


@pytest.fixture
def pooled(committed_db: None) -> Iterator[str]:
    """An alias whose threads share two connections."""
    own = connections.databases["default"]
    options = {**own["OPTIONS"], "pool": {"min_size": 2, "max_size": 2, "timeout": 30}}
    connections.databases["pooled"] = {**own, "CONN_MAX_AGE": 0, "OPTIONS": options}
    yield "pooled"
    connections["pooled"].close_pool()  # type: ignore[attr-defined]
    del connections["pooled"]
    del connections.databases["pooled"]


def test_eight_threads_on_two_connections_never_mix(
    committed_db: None, people: People, pooled: str
) -> None:
    patients = [make_patient(people.organisation, f"patient{number}") for number in range(8)]

    def ask() -> set[UUID]:
        with connections[pooled].cursor() as cursor:
            cursor.execute("SELECT id FROM accounts_patient")
            return {row[0] for row in cursor.fetchall()}

    def requests(number: int) -> int:
        chance = random.Random(number)
        asked = 0
        for _round in range(ROUNDS):
            patient = chance.choice(patients) if chance.random() < 0.8 else None
            acting = Acting("patient", patient.user_id, patient.pk) if patient else None
            expected = {patient.pk} if patient else set()
            with acting_as(acting):
                if chance.random() < 0.5:
                    assert ask() == expected
                else:
                    with transaction.atomic(using=pooled):
                        assert ask() == expected
                        if chance.random() < 0.3:
                            transaction.set_rollback(True, using=pooled)
            connections[pooled].close()
            asked += 1
        return asked

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(requests, range(8))) == 8 * ROUNDS
