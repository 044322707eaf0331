"""What every run of the bench stands on: durable servers, the stand-in for Firebase, one template.

The tables are made and the people stored once; each run gets a database copied from that.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace

import psycopg
import redis
from psycopg import sql

from bench.faults.copies import copy_project, from_tree
from bench.faults.fcm import WatchedFcm
from bench.faults.keeper import Keeper, run_once
from local import servers
from local.launch import LaunchError
from local.postgres import OWNER, SUPERUSER, WEB, WORKER, Postgres, restrict_database
from local.programs import Settings, without_secrets
from local.state import secret
from local.throw_away import ThrowAwayServers
from local.valkey import Valkey

_TEMPLATE = "faults_template"
_UP_WITHIN_S = 60


class Ground:
    """The servers, and the copy of the project that is broken. Made in the main thread."""

    def __init__(self, *, people: int, commit: str, say: Callable[[str], None]) -> None:
        """Boots all of it; raises LaunchError, having stopped what it started."""
        self.people = people
        self._scratch = ThrowAwayServers(os.environ, postgres=False, valkey=False)
        self.folder = self._scratch.folder
        self.tree = self.folder / "tree"
        log = self.folder / "servers.log"
        self.postgres = Postgres(
            folder=self.folder / "postgres", log=log, durable=True, environment=os.environ
        )
        self.valkey = Valkey(
            folder=self.folder / "valkey", log=log, durable=True, environment=os.environ
        )
        self.keeper, self.fcm = Keeper(), WatchedFcm()
        self._runs = 0
        try:
            self.fcm.start()
            copy_project(self.tree, commit=commit)
            self._boot(self.postgres)
            self.postgres.make_roles()
            self._boot(self.valkey)
            say(f"making the tables and {people:,} people ...")
            self._make_template()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Stops everything, whatever state it is in, and removes the folder."""
        self.keeper.do_all_later()
        self.keeper.remove("valkey", "postgres")
        for server in (self.valkey, self.postgres):
            server.close()
        self.fcm.stop()
        self._scratch.close()

    def url(self, database: str, role: str = SUPERUSER) -> str:
        return self.postgres.address.url(role, database)

    def settings(self, database: str, *, web_fd: int = -1, broker: str = "none") -> Settings:
        """What the programs of one run are told."""
        state = self.folder / database
        (state / "logs").mkdir(parents=True, exist_ok=True)
        own = {"HANDRAIL_ENV": "development", "HANDRAIL_STATE": str(state)}
        return Settings(
            environment={**without_secrets(os.environ), **own},
            state=state,
            web_fd=web_fd,
            secret_key=secret(self.folder / "secret-key"),
            owner_url=self.url(database, OWNER),
            web_url=self.url(database, WEB),
            worker_url=self.url(database, WORKER),
            redis_url=broker,
            firebase_credentials="",
            fcm_endpoint=self.fcm.url,
            patient_keys=f"faults:{secret(self.folder / 'patient-key')}",
        )

    def new_database(self) -> str:
        """A copy of the template: the people as they were before anything happened to them."""
        self._runs += 1
        name = f"faults_{self._runs}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}")
            connection.execute(statement.format(*map(sql.Identifier, (name, _TEMPLATE, OWNER))))
        with psycopg.connect(self.url(name, OWNER), autocommit=True) as connection:
            restrict_database(connection, name, users=(WEB, WORKER))
        return name

    def drop_database(self, name: str) -> None:
        """With its logs, and from under whoever is still connected."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
            connection.execute(statement.format(sql.Identifier(name)))
        shutil.rmtree(self.folder / name, ignore_errors=True)

    def postgres_is_up(self) -> bool:
        """Whether it takes connections now."""
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def stand(self) -> None:
        """Waits until both servers are up and empty of the last run. Raises LaunchError."""
        for name in ("postgres", "valkey"):
            self.keeper.release(name)
        self.fcm.behaviour.forget()
        self.fcm.inbox.clear()
        if not self.keeper.wait_until(self.postgres_is_up, within=_UP_WITHIN_S):
            raise LaunchError("PostgreSQL did not come back")
        if not self.keeper.wait_until(self.flush_valkey, within=_UP_WITHIN_S):
            raise LaunchError("Valkey did not come back")

    def flush_valkey(self) -> bool:
        """Whether it could be emptied."""
        try:
            with redis.Redis.from_url(self.valkey.url(), socket_timeout=2) as broker:
                return bool(broker.flushall())
        except redis.RedisError:
            return False

    def _boot(self, server: servers.Server) -> None:
        server.prepare()
        process = servers.start(server)
        self.keeper.add(server.program(), process)

    def _make_template(self) -> None:
        self.postgres.make_database(_TEMPLATE)
        settings = self.settings(_TEMPLATE)
        for arguments in (("compile_messages",), ("migrate", "--no-input", "--verbosity", "0")):
            run_once(from_tree(settings.manage(*arguments), self.tree))
        # Stored by ordinary means, by a role that may fill every table.
        more = {"DATABASE_OWNER_URL": self.url(_TEMPLATE), "HANDRAIL_DATABASE_ROLE": "owner"}
        self.run_module("bench.faults.people", str(self.people), settings=settings, more=more)

    def run_module(
        self, module: str, *arguments: str, settings: Settings, more: Mapping[str, str]
    ) -> str:
        """Runs a module of the copy to its end; returns what it printed. Raises LaunchError."""
        program = from_tree(settings.manage(module), self.tree, name=module, more=more)
        command = (program.command[0], "-m", module, *arguments)
        return run_once(replace(program, command=command))
