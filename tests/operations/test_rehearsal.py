"""The rehearsal: dump, restore elsewhere, replay, and nobody who moved on is told.

On a PostgreSQL of its own, with the very commands of docs/operations.md, as processes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from backend.operations.dumps import DumpFailed, Server, dump, restore
from local.binaries import postgres_folder
from local.fcm import LocalFcm
from local.postgres import OWNER, SUPERUSER, WEB, WORKER, Postgres
from local.throw_away import ThrowAwayServers
from tests.worker.processes import RELAY, ROOT, Processes, wait_for

PROGRAMS = ("--programs", str(postgres_folder(os.environ)))
HERE, ELSEWHERE = "handrail", "elsewhere"


@dataclass
class Site:
    """One database on the server, and how the programs of an operator reach it."""

    postgres: Postgres
    database: str
    journal: Path
    endpoint: str = ""

    def environment(self) -> dict[str, str]:
        url = self.postgres.address.url
        return {
            **{
                name: value for name, value in os.environ.items() if not name.startswith("DATABASE")
            },
            "HANDRAIL_ENV": "test",
            "SECRET_KEY": "rehearsal-" + "x" * 50,
            "DATABASE_URL": url(WEB, self.database),
            "DATABASE_WORKER_URL": url(WORKER, self.database),
            "DATABASE_OWNER_URL": url(OWNER, self.database),
            "DATABASE_BACKUP_URL": url(SUPERUSER, self.database),
            "JOURNAL_FILE": str(self.journal),
            "REDIS_URL": "none",
            "FCM_ENDPOINT": self.endpoint,
        }

    def run(self, *command: str, role: str = "worker", fails: bool = False) -> str:
        """What it printed, and for a failure what it complained of."""
        done = subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env={**self.environment(), "HANDRAIL_DATABASE_ROLE": role},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert bool(done.returncode) is fails, done.stdout + done.stderr
        return done.stderr if fails else done.stdout

    @property
    def server(self) -> Server:
        return Server(self.environment()["DATABASE_BACKUP_URL"], str(postgres_folder(os.environ)))

    def people(self, act: str, *names: str) -> str:
        return self.run("-m", "tests.operations.restored_people", act, *names, role="web").strip()

    def ask(self, query: str) -> list[Any]:
        with psycopg.connect(self.postgres.address.url(SUPERUSER, self.database)) as connection:
            return [row[0] for row in connection.execute(query).fetchall()]


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    booted = ThrowAwayServers(os.environ, postgres=True, valkey=False)
    yield booted.postgres
    booted.close()


@pytest.fixture(scope="module")
def here(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Three phones have an urgent message waiting when it is dumped; then two of them move on."""
    folder = tmp_path_factory.mktemp("here")
    postgres.make_database(HERE)
    site = Site(postgres, HERE, folder / "journal")
    site.run("manage.py", "migrate", "--verbosity", "0", role="owner")
    site.people("enrol", "stays", "hands-on", "signs-out")
    told = site.run("manage.py", "back_up", str(folder / "dump"), *PROGRAMS, role="owner")
    assert "read back" in told
    site.people("revoke", "hands-on")
    site.people("sign-out", "signs-out")
    assert site.people("write-journal") == "5"
    return site


@pytest.fixture
def dumped(here: Site) -> Path:
    return here.journal.with_name("dump")


@pytest.fixture
def elsewhere(here: Site, tmp_path: Path) -> Iterator[Site]:
    """An empty database, and the journal as another machine has it."""
    here.postgres.make_database(ELSEWHERE)
    journal = tmp_path / "journal"
    shutil.copy(here.journal, journal)
    yield Site(here.postgres, ELSEWHERE, journal)
    url = here.postgres.address.url(SUPERUSER, "postgres")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{ELSEWHERE}" WITH (FORCE)')


@pytest.fixture
def fcm() -> Iterator[LocalFcm]:
    with LocalFcm() as running:
        yield running


def targets(fcm: LocalFcm) -> list[str]:
    return [str(message["target"]) for message in fcm.messages]


def paused(site: Site) -> Any:
    return site.ask("SELECT count(*) FROM notifications_deliverypause WHERE ended_at IS NULL")[0]


def test_a_phone_unbound_after_the_dump_is_not_sent_to(
    elsewhere: Site,
    dumped: Path,
    fcm: LocalFcm,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = elsewhere.run("manage.py", "restore", str(dumped), *PROGRAMS, role="owner")
    assert "Delivery is paused" in told
    assert elsewhere.ask("SELECT reason FROM notifications_deliverypause") == ["restored"]
    for name, value in elsewhere.environment().items():
        monkeypatch.setenv(name, value)
    processes = Processes(folder=tmp_path, fcm_endpoint=fcm.url)
    try:
        processes.start(RELAY)
        alive = "SELECT count(*) FROM notifications_heartbeat WHERE process = 'relay'"
        assert wait_for(lambda: elsewhere.ask(alive) == [1], seconds=60), processes.output
        assert targets(fcm) == []
        assert elsewhere.ask("SELECT sum(attempts) FROM notifications_notification") == [0]

        replayed = elsewhere.run("manage.py", "replay_journal")
        assert "2 acts done again, 0 without effect, 3 known" in replayed
        accepted = "SELECT count(*) FROM notifications_notification WHERE outcome = 'accepted'"
        assert wait_for(lambda: elsewhere.ask(accepted) == [1], seconds=60), processes.output
        assert targets(fcm) == ["stays"]
    finally:
        processes.kill_all()
    unbound = "SELECT push_target FROM accounts_device WHERE unbound_at IS NOT NULL ORDER BY 1"
    assert elsewhere.ask(unbound) == ["hands-on", "signs-out"]
    live = "SELECT count(*) FROM accounts_accesstoken WHERE revoked_at IS NULL"
    assert elsewhere.ask(live) == [1]
    (aside,) = tmp_path.glob("journal.replayed-*")
    again = elsewhere.run("manage.py", "replay_journal", "--journal", str(aside))
    assert "0 acts done again, 2 without effect, 3 known" in again
    assert elsewhere.ask(live) == [1]


def test_a_restored_database_writes_no_journal_before_the_replay(
    elsewhere: Site, dumped: Path
) -> None:
    """Its acts would take the numbers of acts that are not done again yet."""
    before = elsewhere.journal.read_text()
    restore(elsewhere.server, dumped)
    assert elsewhere.people("write-journal") == "0"
    assert elsewhere.journal.read_text() == before


def test_delivery_stays_paused_while_the_journal_cannot_be_read(
    elsewhere: Site, dumped: Path
) -> None:
    restore(elsewhere.server, dumped)
    whole = elsewhere.journal.read_text()
    elsewhere.journal.write_text(whole.replace('"kind"', '"kund"', 1))
    assert "stays paused" in elsewhere.run("manage.py", "replay_journal", fails=True)
    elsewhere.journal.unlink()
    assert "stays paused" in elsewhere.run("manage.py", "replay_journal", fails=True)
    assert paused(elsewhere) == 2
    assert elsewhere.ask("SELECT count(*) FROM accounts_device WHERE unbound_at IS NOT NULL") == [0]


def test_nothing_is_overwritten(here: Site, dumped: Path) -> None:
    size = dumped.stat().st_size
    with pytest.raises(DumpFailed, match="there already"):
        dump(here.server, dumped)
    with pytest.raises(DumpFailed, match="not empty"):
        restore(here.server, dumped)
    assert dumped.stat().st_size == size
    assert dumped.stat().st_mode & 0o777 == 0o600
    assert paused(here) == 0


def test_a_dump_that_fails_leaves_no_file(here: Site, tmp_path: Path) -> None:
    wrong = Server(here.server.url.replace(HERE, "nowhere"), here.server.programs)
    with pytest.raises(DumpFailed) as failed:
        dump(wrong, tmp_path / "dump")
    assert list(tmp_path.iterdir()) == []
    assert here.postgres.address.passwords[SUPERUSER] not in str(failed.value)


def test_a_torn_dump_leaves_nobody_a_way_in(elsewhere: Site, dumped: Path, tmp_path: Path) -> None:
    torn = tmp_path / "torn"
    torn.write_bytes(dumped.read_bytes()[: dumped.stat().st_size // 2])
    with pytest.raises(DumpFailed):
        restore(elsewhere.server, torn)
    for role in (WEB, WORKER):
        with pytest.raises(psycopg.OperationalError, match="permission denied"):
            psycopg.connect(elsewhere.postgres.address.url(role, ELSEWHERE))
