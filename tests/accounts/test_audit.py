"""The audit log takes rows and gives none back: no role that serves or sends can change it."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from django.db import ProgrammingError, connection, transaction

from backend.accounts import audit
from backend.accounts.actor import Actor
from backend.accounts.models import AuditEvent
from tests.acting import system_session
from tests.people import People, actor_for

RUNTIME = ("DATABASE_URL", "DATABASE_WORKER_URL")
CHANGES = (
    "UPDATE accounts_auditevent SET was_allowed = true",
    "DELETE FROM accounts_auditevent",
    "TRUNCATE accounts_auditevent",
    "DROP TABLE accounts_auditevent",
    "ALTER TABLE accounts_auditevent ADD COLUMN x int",
    "GRANT ALL ON accounts_auditevent TO PUBLIC",
)


@pytest.fixture(params=RUNTIME)
def session(request: pytest.FixtureRequest, committed_db: None) -> Iterator[psycopg.Connection]:
    """Connected as the web and as the worker role, with one event in the log."""
    with system_session(request.param, autocommit=True) as opened:
        opened.execute(
            "INSERT INTO accounts_auditevent (at, action, actor_role, actor_name, request_id,"
            " object_kind, object_id, was_allowed, facts)"
            " VALUES (now(), 'test', 'system', '', '', '', '', false, '{}')"
        )
        yield opened


@pytest.mark.parametrize("statement", CHANGES)
def test_the_log_cannot_be_changed(session: psycopg.Connection, statement: str) -> None:
    with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.Warning)):
        session.execute(statement)
        raise psycopg.Warning(_grants(session))
    row = session.execute("SELECT count(*), bool_or(was_allowed) FROM accounts_auditevent")
    assert row.fetchone() == (1, False)


def _grants(session: psycopg.Connection) -> str:
    """A GRANT without the right to grant is a warning in PostgreSQL, and grants nothing."""
    public = session.execute(
        "SELECT count(*) FROM information_schema.table_privileges"
        " WHERE table_name = 'accounts_auditevent' AND grantee = 'PUBLIC'"
    ).fetchone()
    assert public == (0,)
    return "no effect"


def test_the_schema_cannot_be_changed(session: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        session.execute("CREATE TABLE public.mine (id int)")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        session.execute("DELETE FROM django_migrations")


def test_the_orm_is_refused_as_well(people: People) -> None:
    audit.record(actor=Actor.system("test"), action="test")
    with pytest.raises(ProgrammingError), transaction.atomic():
        AuditEvent.objects.update(action="other")
    with pytest.raises(ProgrammingError), transaction.atomic():
        AuditEvent.objects.all().delete()
    assert AuditEvent.objects.get().action == "test"


def test_an_act_and_its_row_stand_or_fall_together(committed_db: None, people: People) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        audit.record(actor=actor_for(people.patient_user), action="undone")
        raise RuntimeError
    assert not AuditEvent.objects.filter(action="undone").exists()


def test_a_job_is_audited_by_its_name(people: People) -> None:
    audit.record(actor=Actor.system("assess_due"), action="test", patient_id=people.patient.pk)
    event = AuditEvent.objects.get()
    assert (event.actor_role, event.actor_name, event.actor_id) == ("system", "assess_due", None)


def test_the_log_outlives_whom_it_names(people: People) -> None:
    """No foreign key leads out of it, so erasing a person never breaks it."""
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, "accounts_auditevent")
    assert [name for name, facts in constraints.items() if facts["foreign_key"]] == []
