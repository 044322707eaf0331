"""PostgreSQL and Valkey for a bench of writes: as durable as in production, and gone afterwards.

What throw-away servers leave out (fsync, write-ahead log in full) is a good part of what a write
costs, so here nothing is left out.
"""

from __future__ import annotations

import os
import subprocess

import psycopg

from local import launch, servers
from local.postgres import SUPERUSER, WEB, Postgres
from local.throw_away import ThrowAwayServers
from local.valkey import Valkey


class DurableServers:
    """A PostgreSQL with the three roles and a Valkey, both durable, in a folder that goes."""

    def __init__(self) -> None:
        """Boots both; raises LaunchError, having stopped what it started."""
        self._scratch = ThrowAwayServers(os.environ, postgres=False, valkey=False)
        self.folder = self._scratch.folder
        self.log = self.folder / "servers.log"
        self._running: list[tuple[servers.Server, subprocess.Popen[bytes]]] = []
        self.postgres = Postgres(
            folder=self.folder / "postgres", log=self.log, durable=True, environment=os.environ
        )
        self.valkey = Valkey(
            folder=self.folder / "valkey", log=self.log, durable=True, environment=os.environ
        )
        try:
            self._boot(self.postgres)
            self.postgres.make_roles()
            self._say_values()
            self._boot(self.valkey)
        except BaseException:
            self.close()
            raise

    def _boot(self, server: servers.Server) -> None:
        server.prepare()
        self._running.append((server, servers.start(server)))

    def _say_values(self) -> None:
        """Lets the log name a statement's values, from which it is made again."""
        address = self.postgres.address
        with psycopg.connect(address.url(SUPERUSER, "postgres"), autocommit=True) as connection:
            connection.execute(f"ALTER ROLE {WEB} SET log_error_verbosity = 'default'".encode())

    def close(self) -> None:
        """Stops both and removes everything."""
        for server, process in reversed(self._running):
            launch.stop(process, server.program())
            server.close()
        self._running.clear()
        self._scratch.close()

    @property
    def variables(self) -> dict[str, str]:
        """What a work is told of them, beside the addresses of the database's roles."""
        _postgres, (_server, broker) = self._running
        return {
            "REDIS_URL": self.valkey.url(),
            "BENCH_BROKER_PID": str(broker.pid),
            "BENCH_POSTGRES_LOG": str(self.log),
        }
