"""The limit: pgbench, running the statements of our own requests and nothing else.

On a copy of the tables, as the same role, prepared, one transaction a run, as many clients. What
pgbench itself uses is not counted against it: the limit is what PostgreSQL alone needs.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from bench.ingest import Counted, Miscounted, Turn
from bench.measure import ProcessTree
from local.binaries import postgres_folder
from local.launch import LaunchError
from local.postgres import DATABASE, OWNER, WEB

COPY = f"{DATABASE}_limit"
_PROCESSED = re.compile(r"number of transactions actually processed: (\d+)")


def pgbench() -> Path:
    """The program beside PostgreSQL's own. Raises LaunchError when it is not there."""
    found = postgres_folder(os.environ) / "pgbench"
    if not found.exists():
        raise LaunchError(f"There is no pgbench beside PostgreSQL in {found.parent}.")
    return found


def copy_tables() -> str:
    """A copy of the database; the superuser's address of it. Nobody may be connected."""
    url = os.environ["BENCH_SUPERUSER_URL"]
    elsewhere = urlsplit(url)._replace(path="/postgres").geturl()
    with psycopg.connect(elsewhere, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {COPY} TEMPLATE {DATABASE} OWNER {OWNER}".encode())
        connection.execute(f"GRANT CONNECT ON DATABASE {COPY} TO {WEB}".encode())
    copied = urlsplit(url)._replace(path=f"/{COPY}").geturl()
    with psycopg.connect(copied, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    return copied


@dataclass(frozen=True, slots=True)
class Limit:
    """Scripts with their weights, how many rows a transaction stores, and the variable with the
    address of the role that runs them."""

    scripts: Mapping[Path, int]
    counted: Counted
    rows_a_transaction: int = 1
    variable: str = "DATABASE_URL"

    def turn(self, postgres: ProcessTree, *, clients: int, seconds: float) -> Turn:
        """Raises `Miscounted` when transactions and rows differ, LaunchError when one failed."""
        before, in_postgres = self.counted.now(), postgres.cpu_s()
        own, began = os.times(), time.perf_counter()
        printed = self._run(clients, max(round(seconds), 1))
        elapsed, done = time.perf_counter() - began, os.times()
        spent = postgres.cpu_s() - in_postgres
        found = _PROCESSED.search(printed)
        if found is None:
            raise Miscounted(f"pgbench said:\n{printed}")
        rows = int(found[1]) * self.rows_a_transaction
        self.counted.require(before, rows)
        return Turn(
            rows=rows,
            web_cpu_s=0.0,
            postgres_cpu_s=spent,
            elapsed_s=elapsed,
            client_cpu_s=done.children_user
            + done.children_system
            - own.children_user
            - own.children_system,
        )

    def _run(self, clients: int, seconds: int) -> str:
        url = urlsplit(os.environ[self.variable])
        files = [part for file, n in self.scripts.items() for part in ("-f", f"{file}@{n}")]
        command = [str(pgbench()), "-n", "-M", "prepared", "-c", str(clients), "-j", "2"]
        target = ["-h", str(url.hostname), "-p", str(url.port), "-U", str(url.username), COPY]
        finished = subprocess.run(
            [*command, "-T", str(seconds), *files, *target],
            env={"PGPASSWORD": str(url.password), "PATH": os.defpath, "LC_ALL": "C"},
            capture_output=True,
            text=True,
            check=False,
        )
        if finished.returncode != 0 or "aborted" in finished.stderr:
            raise LaunchError(f"pgbench failed:\n{finished.stderr[-3000:]}")
        return finished.stdout
