"""What keeps an unsafe installation from starting: the database's checks, and the start itself."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection

from backend import start
from backend.checks.channels import channels_are_whole
from backend.checks.database import RoleFacts, judge, read_facts, roles_are_narrow
from tests.conftest import owner_connection
from tests.test_settings import STRONG_KEY, ids

ROOT = Path(__file__).resolve().parents[2]
SAFE = RoleFacts(
    is_superuser=False,
    bypasses_row_security=False,
    owns_tables=False,
    commits_synchronously=True,
    can_change_audit=False,
    finds_unguarded_tables=False,
)


# Checks of the database -------------------------------------------------------------------------


@pytest.fixture
def audit_open_to_changes() -> Iterator[None]:
    """What a careless GRANT ON ALL TABLES would do."""
    role = f'"{connection.settings_dict["USER"]}"'
    with owner_connection() as owner:
        owner.execute(f"GRANT UPDATE ON accounts_auditevent TO {role}")
        yield
        owner.execute(f"REVOKE UPDATE ON accounts_auditevent FROM {role}")


def test_the_web_role_is_narrow(db: None) -> None:
    assert read_facts("default") == SAFE
    assert roles_are_narrow(databases=["default"]) == []


def test_the_database_is_asked_only_when_named() -> None:
    assert roles_are_narrow(databases=None) == []


def test_asynchronous_commit_is_seen(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
    assert ids(roles_are_narrow(databases=["default"])) == {"handrail.E012"}


def test_a_changeable_audit_log_is_seen(committed_db: None, audit_open_to_changes: None) -> None:
    assert ids(roles_are_narrow(databases=["default"])) == {"handrail.E013"}


@pytest.mark.parametrize("off", ["DISABLE ROW LEVEL SECURITY", "NO FORCE ROW LEVEL SECURITY"])
def test_a_table_of_patients_without_its_second_lock_is_seen(committed_db: None, off: str) -> None:
    with owner_connection() as owner:
        owner.execute(f"ALTER TABLE tracking_checkin {off}".encode())
        try:
            assert ids(roles_are_narrow(databases=["default"])) == {"handrail.E014"}
        finally:
            owner.execute(
                "ALTER TABLE tracking_checkin ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"
            )


@pytest.mark.parametrize(
    ("flag", "check_id"),
    [
        ("is_superuser", "E010"),
        ("bypasses_row_security", "E010"),
        ("owns_tables", "E011"),
        ("can_change_audit", "E013"),
        ("finds_unguarded_tables", "E014"),
    ],
)
def test_each_power_is_one_error(flag: str, check_id: str) -> None:
    facts = {name: getattr(SAFE, name) for name in SAFE.__slots__} | {flag: True}
    assert ids(list(judge(RoleFacts(**facts)))) == {f"handrail.{check_id}"}
    assert list(judge(SAFE)) == []


def manage_check(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--database", "default"],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_serving_as_the_owner_is_seen(django_db_setup: None) -> None:
    owner = os.environ["DATABASE_OWNER_URL"]
    finished = manage_check(DATABASE_URL=owner, HANDRAIL_DATABASE_ROLE="web")
    assert "handrail.E011" in finished.stderr
    assert finished.returncode != 0


def test_migrating_as_the_owner_is_fine(django_db_setup: None) -> None:
    finished = manage_check(HANDRAIL_DATABASE_ROLE="owner")
    assert finished.returncode == 0, finished.stderr


# Starting ---------------------------------------------------------------------------------------


@pytest.fixture
def safe_environment(django_db_setup: None) -> dict[str, str]:
    """What a web process in production is given, on the tests' own server."""
    kept = {
        name: os.environ[name] for name in ("PATH", "HOME", "DATABASE_URL") if name in os.environ
    }
    return {
        **kept,
        "DJANGO_SETTINGS_MODULE": "backend.settings",
        "SECRET_KEY": STRONG_KEY,
        "PATIENT_KEYS": os.environ["PATIENT_KEYS"],
        "ALLOWED_HOSTS": "h.example",
        "TRUSTED_PROXIES": "1",
    }


def gunicorn(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Loads the application as gunicorn does before it binds, and ends."""
    command = [sys.executable, "-m", "gunicorn", "--check-config", "backend.wsgi:application"]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_gunicorn_loads_a_safe_configuration(safe_environment: dict[str, str]) -> None:
    finished = gunicorn(safe_environment)
    assert finished.returncode == 0, finished.stderr
    assert '"code": "handrail.W002"' in finished.stderr


@pytest.mark.parametrize(
    ("variable", "value", "check_id"),
    [("SECRET_KEY", "short", "E004"), ("FCM_ENDPOINT", "http://127.0.0.1:9", "E006")],
)
def test_gunicorn_refuses_an_unsafe_one(
    safe_environment: dict[str, str], variable: str, value: str, check_id: str
) -> None:
    finished = gunicorn({**safe_environment, variable: value})
    assert finished.returncode != 0
    assert f"handrail.{check_id}" in finished.stderr


def test_gunicorn_refuses_to_serve_as_the_owner(safe_environment: dict[str, str]) -> None:
    owner = os.environ["DATABASE_OWNER_URL"]
    finished = gunicorn({**safe_environment, "DATABASE_URL": owner})
    assert finished.returncode != 0
    assert "handrail.E011" in finished.stderr


def test_gunicorn_gives_up_instead_of_trying_for_ever(safe_environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0", "--no-control-socket"]
    finished = subprocess.run(
        [*command, "backend.wsgi:application"],
        cwd=ROOT,
        env={**safe_environment, "SECRET_KEY": "short"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode == 3
    assert "handrail.E004" in finished.stderr


def test_a_database_that_is_down_is_no_reason_to_refuse(safe_environment: dict[str, str]) -> None:
    unreachable = "postgresql://w:pw@127.0.0.1:1/db"
    finished = gunicorn({**safe_environment, "DATABASE_URL": unreachable})
    assert finished.returncode == 0, finished.stderr
    assert "database_unreachable" in finished.stderr


@pytest.mark.parametrize(
    "command",
    [["-m", "worker.relay"], ["-m", "celery", "-A", "worker.app", "worker", "--concurrency", "1"]],
    ids=["relay", "worker"],
)
def test_what_sends_refuses_as_well(safe_environment: dict[str, str], command: list[str]) -> None:
    environment = safe_environment | {
        "DATABASE_WORKER_URL": os.environ["DATABASE_WORKER_URL"],
        "REDIS_URL": os.environ["REDIS_URL"],
        "FIREBASE_CREDENTIALS": "/nowhere/key.json",
        "SECRET_KEY": "short",
    }
    finished = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode != 0
    assert "handrail.E004" in finished.stderr


def test_starting_costs_next_to_nothing(db: None) -> None:
    start.refuse_when_unsafe(serves_http=True)  # the first one also loads the routes
    began = time.perf_counter()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(start, "_ask_database", list)  # it would close the test's connection
        start.refuse_when_unsafe(serves_http=True)
    assert time.perf_counter() - began < 0.1


def test_the_worker_role_is_narrow_too(django_db_setup: None) -> None:
    with psycopg.connect(os.environ["DATABASE_WORKER_URL"]) as worker:
        found = worker.execute(
            "SELECT rolsuper, rolbypassrls,"
            " has_table_privilege('accounts_auditevent', 'UPDATE'),"
            " has_table_privilege('accounts_auditevent', 'INSERT')"
            " FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
    assert found == (False, False, False, True)


@pytest.mark.parametrize(
    ("address", "is_refused"),
    [("http://care.example.org", True), ("https://care.example.org", False), ("", False)],
)
def test_links_of_support_contacts_are_never_read_on_their_way(
    settings: Any, address: str, is_refused: bool
) -> None:
    settings.IS_PRODUCTION, settings.DATABASE_ROLE = True, "worker"
    settings.PUBLIC_URL = address
    assert ("handrail.E035" in ids(channels_are_whole())) is is_refused
