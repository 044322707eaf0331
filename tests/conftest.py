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
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

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
TOGETHER = {
    # They cut roles off from the one PostgreSQL, so they run one after another.
    "/worker/": "worker",
    # One process fills the database of the pages for all of them.
    "/browser/": "browser",
    # Each starts the whole system.
    "/journeys/": "journeys",
    "/privacy/test_canaries.py": "journeys",
}
"""Which modules run in the same process."""

LONG = (
    "/matrix/",
    "/worker/",
    "/browser/",
    "/bench/test_faults.py",
    "/bench/test_ingest.py",
    "/journeys/",
    "/privacy/test_canaries.py",
    "/fuzzing/",
    "/bench/",
    "/sync_machine/",
    "/operations/test_rehearsal.py",
    "/privacy/test_sealing_migrations.py",
    "/deployment/test_services.py",
)
"""What takes minutes, and begins first."""

FEW_ROWS = 1000
RESTART_SEQUENCES = """
SELECT setval(sequence.oid, start_value, false)
FROM pg_sequences
JOIN pg_class sequence ON sequence.oid = format('%%I.%%I', schemaname, sequencename)::regclass
LEFT JOIN pg_depend owned ON owned.objid = sequence.oid AND owned.deptype IN ('a', 'i')
LEFT JOIN pg_class holder ON holder.oid = owned.refobjid
WHERE schemaname = 'public' AND last_value IS NOT NULL AND holder.relname IS NOT NULL
    AND holder.relname <> ALL(%s)
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        names = set(getattr(item, "fixturenames", ()))
        if names & {"db", "people", "phone"} and "committed_db" not in names:
            item.add_marker(pytest.mark.django_db(databases=["default", "audit"]))


class OneModuleOneProcess(LoadScopeScheduling):
    """What a module shares is made once, in the one process that runs its tests."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)


def scope_of(nodeid: str) -> str:
    """What runs in one process with this test."""
    module = nodeid.partition("::")[0]
    return next((name for part, name in TOGETHER.items() if part in module), module)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> OneModuleOneProcess:
    return OneModuleOneProcess(config, log)


class LongestFirst:
    """The last process to end does not end long after the others."""

    # After pytest-randomly, which shuffles; within each of the two parts its order stays.
    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        ranks = {part: rank for rank, part in enumerate(LONG)}
        items.sort(key=lambda item: rank_of(item, ranks))


def rank_of(item: pytest.Item, ranks: dict[str, int]) -> int:
    return next((rank for part, rank in ranks.items() if part in item.nodeid), len(ranks))


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(LongestFirst())


@pytest.fixture(scope="session")
def django_db_setup() -> None:
    """One database a test process, migrated by the owner role as an operator would."""
    create_empty_database(database_name())
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
        cwd=ROOT,
        env={**os.environ, "HANDRAIL_DATABASE_ROLE": "owner"},
        check=True,
        timeout=300,
    )


def owner_connection() -> psycopg.Connection:
    """For what the web role must not do: empty tables, look behind grants."""
    return psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True)


def empty_every_table() -> None:
    """Waits for whoever still writes. Most tests leave a few rows in a few tables: to delete those
    takes a tenth of what PostgreSQL needs for new files of every table and index."""
    with owner_connection() as connection, connection.transaction():
        found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        names = [f'"{name}"' for (name,) in found if name not in KEPT_TABLES]
        connection.execute("SET LOCAL handrail.audit_change = 'allowed'")
        connection.execute(f"LOCK TABLE {', '.join(names)} IN ACCESS EXCLUSIVE MODE")
        filled = " UNION ALL ".join(f"SELECT '{n}' WHERE EXISTS (SELECT FROM {n})" for n in names)
        deleted = 0
        for (name,) in connection.execute(filled).fetchall():
            deleted += connection.execute(f"DELETE FROM {name}").rowcount
        if deleted > FEW_ROWS:
            connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
            connection.execute(f"TRUNCATE {', '.join(names)} CASCADE")
        connection.execute(RESTART_SEQUENCES, [list(KEPT_TABLES)])


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
