"""No table with a patient in it is without row-level security."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.postgresql.row_policies import cover, cover_through, uncover
from tests.architecture.source import ROOT, files
from tests.conftest import owner_connection
from tests.privacy.covered import BESIDES, UNCOVERED, covered_tables, tables_with_patients

# Where the system acts without a job around it, or one looks past one's own rows.
SYSTEM_ACTS = {
    ("backend/accounts/access.py", "emergency_access.ask"),
    ("backend/accounts/services/devices.py", "device.register"),
    ("backend/accounts/services/second_factors.py", "mfa.remove"),
    ("backend/accounts/services/enrolment.py", "enrolment"),
    ("backend/aftercare/messages.py", "message.consent"),
    ("backend/aftercare/contact_page.py", "contact.link"),
    ("backend/aftercare/services/inviting.py", "contact.answer"),
    ("backend/fhir/services.py", "fhir.owner"),
    ("backend/operations/selectors.py", "operations.count"),
    ("backend/privacy/services/contact_disclosures.py", "contact.disclose"),
    ("backend/privacy/services/exporting.py", "export.fetch"),
    ("backend/privacy/services/reading.py", "audit.read"),
}


def test_every_table_with_a_patient_is_covered(db: None) -> None:
    found, covered = tables_with_patients(), covered_tables()
    assert {"tracking_checkinrevision", "notifications_deliveryattempt"} <= found
    assert found - covered - UNCOVERED.keys() == set()
    assert covered - found == BESIDES
    assert UNCOVERED.keys() & covered == set()


@pytest.fixture
def new_tables(committed_db: None) -> Iterator[list[str]]:
    """A table of a patient, one that hangs on it, and the history that a trigger keeps of that."""
    names = ["planted_note", "planted_remark", "planted_remarkevent"]
    with owner_connection() as session:
        session.execute(
            "CREATE TABLE planted_note (id uuid PRIMARY KEY,"
            " patient_id uuid REFERENCES accounts_patient);"
            "CREATE TABLE planted_remark"
            " (id uuid PRIMARY KEY, note_id uuid REFERENCES planted_note);"
            "CREATE TABLE planted_remarkevent (id bigint, note_id uuid)"
        )
        try:
            yield names
        finally:
            session.execute(f"DROP TABLE {', '.join(names)} CASCADE".encode())


def test_a_new_table_that_is_not_covered_is_found(new_tables: list[str]) -> None:
    assert tables_with_patients() - covered_tables() == set(new_tables)


def test_a_migration_covers_a_table_and_uncovers_it(new_tables: list[str]) -> None:
    note, remark, event = new_tables
    with owner_connection() as session:
        for statement in (
            *cover(note),
            *cover_through(remark, "note_id", note),
            *cover_through(event, "note_id", note),
        ):
            session.execute(statement.encode())
        assert tables_with_patients() - covered_tables() == set()
        for statement in uncover(remark):
            session.execute(statement.encode())
    assert tables_with_patients() - covered_tables() == {remark}


def test_forcing_is_part_of_it(new_tables: list[str]) -> None:
    note = new_tables[0]
    with owner_connection() as session:
        for statement in cover(note):
            session.execute(statement.encode())
        assert note in covered_tables()
        session.execute(f"ALTER TABLE {note} NO FORCE ROW LEVEL SECURITY".encode())
        assert note not in covered_tables()
        session.execute(f"ALTER TABLE {note} FORCE ROW LEVEL SECURITY".encode())
        session.execute(f"DROP POLICY worker_rows ON {note}".encode())
        assert note not in covered_tables()


def test_the_system_acts_in_few_places() -> None:
    found = {
        (str(path), name)
        for path in files("backend")
        for name in re.findall(r'acting_as_system\("([\w.]+)"\)', (ROOT / path).read_text())
    }
    assert found == SYSTEM_ACTS
    called = {
        path
        for path in [*files("backend"), *files("worker"), Path("manage.py")]
        if "acting_as_system(" in (ROOT / path).read_text()
    }
    named = {path for path, _name in SYSTEM_ACTS}
    assert {str(path) for path in called} == {
        *named, "backend/row_security.py", "worker/reporting.py", "manage.py"
    }  # fmt: skip


def test_every_job_acts_as_the_system() -> None:
    silent = set()
    for path in (ROOT / "worker" / "tasks").glob("*.py"):
        for job, body in re.findall(
            r"@app.task\(name=Job\.(\w+)(.*?return )", path.read_text(), re.S
        ):
            if f"with report(Job.{job})" not in body:
                silent.add(job)
    # They say who is alive, and touch no row of a patient.
    assert silent == {"NOTE_BEAT", "ANNOUNCE_CHANNELS"}


def test_nothing_is_set_for_longer_than_a_transaction() -> None:
    session_wide = re.compile(r"SET (?:SESSION )?handrail\.|set_config\([^)]*false\)")
    for path in [*files("backend"), *files("worker")]:
        assert not session_wide.search((ROOT / path).read_text()), path
