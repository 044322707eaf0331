"""Nobody changes the audit log or its seals: web and worker may not, the owner is stopped."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from backend.privacy.services import seal_audit
from tests.acting import system_session
from tests.conftest import owner_connection
from tests.privacy.sealed import NOW, one, write_acts

ROLES = ("DATABASE_URL", "DATABASE_WORKER_URL", "DATABASE_OWNER_URL")
REFUSED = psycopg.errors.InsufficientPrivilege
CHANGES = (
    "UPDATE accounts_auditevent SET was_allowed = false",
    "UPDATE accounts_auditevent SET action = action WHERE false",
    "DELETE FROM accounts_auditevent",
    "TRUNCATE accounts_auditevent",
    "UPDATE privacy_auditseal SET count = 0",
    "DELETE FROM privacy_auditseal",
    "TRUNCATE privacy_auditseal",
)
SEAL = "INSERT INTO privacy_auditseal VALUES (9, 1, 1, 1, 1, now(), 'x')"


@pytest.fixture(params=ROLES)
def session(
    request: pytest.FixtureRequest, as_worker: None, roots: Path
) -> Iterator[psycopg.Connection]:
    """Connected as each of the roles there are, with a sealed log."""
    write_acts(3)
    seal_audit(now=NOW)
    with system_session(request.param, autocommit=True) as opened:
        yield opened


@pytest.mark.parametrize("statement", CHANGES)
def test_no_role_changes_a_row(session: psycopg.Connection, statement: str) -> None:
    with pytest.raises(REFUSED):
        session.execute(statement)
    assert one(session, "SELECT count(*) FROM accounts_auditevent WHERE was_allowed") == 3
    assert one(session, "SELECT sum(count) FROM privacy_auditseal") == 3


@pytest.mark.parametrize("role", ROLES[:2])
@pytest.mark.parametrize("statement", CHANGES)
def test_saying_that_one_means_to_helps_no_role_that_serves(
    as_worker: None, role: str, statement: str
) -> None:
    with psycopg.connect(os.environ[role], autocommit=True) as session:
        session.execute("SET handrail.audit_change = 'allowed'")
        with pytest.raises(REFUSED):
            session.execute(statement)


def test_the_owner_has_to_say_so_in_the_same_transaction(as_worker: None) -> None:
    write_acts(3)
    with owner_connection() as owner:
        with owner.transaction():
            owner.execute("SET LOCAL handrail.audit_change = 'allowed'")
            owner.execute("UPDATE accounts_auditevent SET was_allowed = false")
        with pytest.raises(REFUSED):
            owner.execute("UPDATE accounts_auditevent SET was_allowed = true")


def test_web_makes_no_seals_and_no_mass_reads(as_worker: None) -> None:
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as web:
        for statement in (SEAL, "DELETE FROM privacy_massread"):
            with pytest.raises(REFUSED):
                web.execute(statement)
    with psycopg.connect(os.environ["DATABASE_WORKER_URL"], autocommit=True) as worker:
        worker.execute(SEAL)
        with pytest.raises(REFUSED):
            worker.execute("DELETE FROM privacy_massread")


@pytest.mark.parametrize("role", ROLES[:2])
def test_no_role_that_serves_takes_the_guard_away(as_worker: None, role: str) -> None:
    with psycopg.connect(os.environ[role], autocommit=True) as session:
        for statement in (
            "ALTER TABLE accounts_auditevent DISABLE TRIGGER privacy_append_only",
            "DROP TRIGGER privacy_append_only ON accounts_auditevent",
            "CREATE OR REPLACE FUNCTION privacy_refuse_audit_change() RETURNS trigger"
            " LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
            "SET session_replication_role = replica",
        ):
            with pytest.raises(REFUSED):
                session.execute(statement)
