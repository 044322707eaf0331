"""One run's house: web, worker, relay and beat, started from a copy and kept alive."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg

from bench.faults import processes
from bench.faults.copies import from_tree
from bench.faults.fcm import WatchedFcm
from bench.faults.ground import Ground
from bench.faults.keeper import Keeper
from local.launch import LaunchError, Program
from local.programs import ROOT
from local.run import is_healthy

SKEWED = Path(__file__).with_name("skewed.py")
PROGRAMS = ("web", "beat", "relay", "worker")
"""In the order in which they are ended."""

_UP_WITHIN_S = 60
_BACKLOG = 512


class House:
    """The programs of one run on a database of its own. Made and closed in the main thread."""

    def __init__(self, ground: Ground, *, tree: Path, broker: bool = True) -> None:
        """Starts everything and waits until the web process answers. Raises LaunchError.

        `broker=False` names an address where nothing listens: Redis is absent throughout.
        """
        self.ground, self.tree = ground, tree
        ground.stand()
        self.database = ground.new_database()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
        self.port: int = self._listening.getsockname()[1]
        if not broker:
            ground.keeper.hold("valkey")
            ground.keeper.kill("valkey")
        settings = ground.settings(
            self.database, web_fd=self._listening.fileno(), broker=ground.valkey.url()
        )
        self.logs = settings.state / "logs"
        self._programs = {each.name: from_tree(each, tree) for each in settings.long_running()}
        try:
            for program in self._programs.values():
                self.keeper.add(program)
            self.await_web()
            self.pause(2)  # the worker takes longer to be ready than the web process
        except BaseException:
            self.close()
            raise

    @property
    def keeper(self) -> Keeper:
        return self.ground.keeper

    @property
    def fcm(self) -> WatchedFcm:
        return self.ground.fcm

    def pause(self, seconds: float) -> None:
        self.keeper.pause(seconds)

    def await_web(self) -> None:
        """Raises LaunchError, with the end of its log, when the web process does not answer."""
        address = f"http://127.0.0.1:{self.port}"
        if not self.keeper.wait_until(lambda: is_healthy(address), within=_UP_WITHIN_S):
            log = self._programs["web"].log
            said = log.read_text(errors="replace")[-4000:] if log.exists() else ""
            raise LaunchError(f"the web process does not answer:\n{said}")

    def close(self) -> None:
        """Ends the programs and forgets the run."""
        self.fcm.behaviour.forget()
        self.keeper.do_all_later()
        copies = [f"{kind}_{name}" for kind in ("second", "skewed") for name in PROGRAMS]
        for name in (*copies, *PROGRAMS):
            self.keeper.kill(name)
        self.keeper.remove(*copies, *PROGRAMS)
        self._listening.close()
        self.keeper.release("valkey")
        self.keeper.release("postgres")
        if self.keeper.wait_until(self.ground.postgres_is_up, within=_UP_WITHIN_S):
            self.ground.drop_database(self.database)

    def is_running(self, name: str) -> bool:
        return self.keeper.pid(name) is not None

    def web_children(self) -> list[int]:
        pid = self.keeper.pid("web")
        return processes.below(pid) if pid else []

    def freeze(self, name: str) -> list[int]:
        """Stops a program with all below it; the ids to thaw, none when it is down."""
        pid = self.keeper.pid(name)
        return processes.freeze_tree(pid) if pid else []

    def hold(self, *names: str) -> None:
        """Ends these for good, until they are released."""
        for name in names:
            self.keeper.hold(name)
            self.keeper.kill(name)
        self.pause(0.2)

    def add_second(self, name: str) -> str:
        """A copy of a program beside it; returns its name."""
        second = f"second_{name}"
        self.keeper.add(self._named(name, second))
        return second

    def add_skewed(self, name: str, *, seconds: float) -> str:
        """A copy whose clock is off by that much."""
        program = self._named(name, f"skewed_{name}")
        python, *rest = program.command
        command = (python, str(SKEWED), str(seconds), *rest)
        self.keeper.add(replace(program, command=command))
        return program.name

    def _named(self, name: str, other: str) -> Program:
        return from_tree(self._programs[name], self.tree, name=other)

    @contextmanager
    def sql(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        """A superuser's connection that commits each statement."""
        url = self.ground.url(self.database)
        with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
            yield connection

    def number(self, query: str, parameters: Mapping[str, Any] | None = None) -> int:
        """What a query that counts says; -1 while the database does not answer."""
        try:
            with self.sql() as connection:
                row = connection.execute(query.encode(), parameters).fetchone()
        except psycopg.OperationalError:
            return -1
        assert row is not None
        return int(row[0])

    def let_leases_run_out(self) -> None:
        """Twenty seconds in no time."""
        with self.sql() as connection:
            connection.execute(
                "UPDATE notifications_notification SET lease_expires_at = now()"
                " WHERE lease_expires_at > now()"
            )

    def keep_logs(self, name: str) -> Path:
        """Copies what the programs of this run wrote, for whoever looks for what went wrong."""
        kept = ROOT / "out" / "faults-logs" / name
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(self.logs, kept)
        return kept

    def logged(self, event: str, containing: str = "") -> int:
        """How many lines of all logs tell of that event."""
        count = 0
        for log in self.logs.glob("*.log"):
            for line in log.read_text(errors="replace").splitlines():
                count += f'"{event}"' in line and containing in line
        return count
