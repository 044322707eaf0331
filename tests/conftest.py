"""Real PostgreSQL for every test, as the roles that run in production.

`db` rolls back after the test. `committed_db` really commits, for threads and processes, and
empties every table afterwards through the owner. Both connect as the web role.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest
from django.db import connections
from playwright.sync_api import Browser, sync_playwright
from pytest_django.plugin import DjangoDbBlocker

from backend import row_security
from backend.row_security import Acting
from bench.web import FLAGS, browser_path
from local.pytest_servers import create_empty_database, database_name
from tests.people import People, make_people
from tests.phones import Phone

ROOT = Path(__file__).resolve().parent.parent
# What a test arranges and what it looks up afterwards is done by the system, as in a job. Requests
# and jobs act as whoever they are: the middleware starts each with nobody.
row_security.act_as(Acting("system"))

KEPT_TABLES = {
    "django_migrations",
    "django_content_type",
    "auth_permission",
    "tracking_syncepoch",
}


# Before xdist, which reads the groups in its own hook.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/worker/" in item.nodeid:
            # They cut roles off from the one PostgreSQL, so they run one after another.
            item.add_marker(pytest.mark.xdist_group("worker"))
        if "/browser/" in item.nodeid:
            # One process fills the database of the pages for all of them.
            item.add_marker(pytest.mark.xdist_group("browser"))
        names = set(getattr(item, "fixturenames", ()))
        if names & {"db", "people", "phone"} and "committed_db" not in names:
            item.add_marker(pytest.mark.django_db(databases=["default", "audit"]))


@pytest.fixture(scope="session")
def django_db_setup() -> None:
    """One database a test process, migrated by the owner role as an operator would."""
    create_empty_database(database_name())
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
        cwd=ROOT,
        env={**os.environ, "HANDRAIL_DATABASE_ROLE": "owner"},
        check=True,
        timeout=120,
    )


def owner_connection() -> psycopg.Connection:
    """For what the web role must not do: empty tables, look behind grants."""
    return psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True)


def empty_every_table() -> None:
    with owner_connection() as connection:
        found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        names = [f'"{name}"' for (name,) in found if name not in KEPT_TABLES]
        connection.execute("SET handrail.audit_change = 'allowed'")
        connection.execute(f"TRUNCATE {', '.join(names)} RESTART IDENTITY CASCADE")


@pytest.fixture
def committed_db(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield
        connections.close_all()
    empty_every_table()


def lacking(what: str, remedy: str) -> NoReturn:
    """Skips, but never where the result counts."""
    words = f"{what} is not here: {remedy}"
    if os.environ.get("CI") == "true":
        pytest.fail(words)
    pytest.skip(words)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium that reaches this machine alone.

    Playwright keeps an event loop running in the thread of the tests: no longer than a module, or
    it would break whatever runs a loop of its own in the tests that follow.
    """
    path = browser_path()
    if path is None:
        lacking("Chromium", "apt-get install --no-install-recommends chromium fonts-dejavu-core")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Django would refuse the database to a thread with a loop; nothing here is asynchronous.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        started = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield started
        started.close()


@pytest.fixture
def people(request: pytest.FixtureRequest) -> People:
    """The same people in every test. Uses `committed_db` where the test does, else `db`."""
    if "committed_db" not in request.fixturenames:
        request.getfixturevalue("db")
    return make_people()


@pytest.fixture
def phone(people: People) -> Phone:
    """The patient's phone: signed in, speaking to the API inside this process."""
    return Phone.of(people.patient_user)
