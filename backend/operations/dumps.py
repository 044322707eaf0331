"""A dump of the whole database, and putting it back elsewhere with delivery paused.

Talks to PostgreSQL's own programs and to the server itself, as a role that may read past
row-level security; nothing that runs all day is given such an address.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg import sql

RESTORED = "restored"
"""Why delivery is paused then."""

RUNTIME_ROLES = ("handrail_web", "handrail_worker")
Connection = psycopg.Connection[tuple[int, ...]]
LOCK_PATIENCE = "--lock-wait-timeout=60s"


class DumpFailed(Exception):
    """What went wrong, in words that hold no password and nothing of any row."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where a database is, and the folder of PostgreSQL's programs (empty: on the path)."""

    url: str
    programs: str = ""

    def run(self, program: str, *arguments: str) -> str:
        """Its output. The password goes by the environment: arguments stand in lists of processes.

        Raises `DumpFailed` with the program's own words, which quote objects and no rows.
        """
        path = str(Path(self.programs) / program) if self.programs else program
        command = [path, *arguments]
        try:
            done = subprocess.run(  # noqa: S603 - no shell, and a program of our choosing
                command, env=self._environment(), capture_output=True, check=False
            )
        except OSError as error:
            raise DumpFailed(f"{program} cannot be run: {error.strerror}") from None
        if done.returncode:
            words = done.stderr.decode(errors="replace").strip().splitlines()
            raise DumpFailed(f"{program}: {words[0] if words else done.returncode}")
        return done.stdout.decode(errors="replace")

    def _environment(self) -> dict[str, str]:
        parts = urlsplit(self.url)
        given = {
            "PGHOST": parts.hostname or "",
            "PGPORT": str(parts.port or ""),
            "PGUSER": unquote(parts.username or ""),
            "PGPASSWORD": unquote(parts.password or ""),
            "PGDATABASE": parts.path.lstrip("/"),
            "PGCONNECT_TIMEOUT": "10",
        }
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        return clean | {name: value for name, value in given.items() if value}


def dump(server: Server, path: Path) -> int:
    """Writes a whole dump, readable by its owner alone, or none; returns how many entries it has.

    A path that is taken is left as it is. Raises `DumpFailed`.
    """
    unfinished = path.with_name(f"{path.name}.unfinished")
    if path.exists() or unfinished.exists():
        raise DumpFailed(f"{path} is there already, or another one is being written")
    unfinished.touch(mode=0o600)
    try:
        arguments = ("--format=custom", "--no-password", LOCK_PATIENCE, f"--file={unfinished}")
        server.run("pg_dump", *arguments)
        entries = _entries(server, unfinished)
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.rename(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return entries


def _entries(server: Server, path: Path) -> int:
    """Reads it back as a restore would: a dump that nobody can read is none."""
    listed = server.run("pg_restore", "--list", str(path))
    entries = [line for line in listed.splitlines() if line and not line.startswith(";")]
    if not any(" TABLE DATA " in line for line in entries):
        raise DumpFailed(f"{path.name} holds no tables")
    server.run("pg_restore", f"--file={os.devnull}", str(path))
    return len(entries)


def restore(server: Server, path: Path) -> int:
    """Fills an empty database; returns how many rows of the audit log it came with.

    Web and worker cannot enter before delivery is paused, browsers' sessions are ended and no
    heartbeat says that somebody is there. Raises `DumpFailed`; the database is then to be thrown
    away.
    """
    with _closed(server) as connection:
        options = ("--exit-on-error", "--single-transaction", "--no-password")
        server.run("pg_restore", *options, f"--dbname={_name(server)}", str(path))
        with connection.transaction():
            connection.execute(
                "INSERT INTO notifications_deliverypause (id, reason, began_at)"
                " VALUES (gen_random_uuid(), %s, now()) ON CONFLICT DO NOTHING",
                [RESTORED],
            )
            connection.execute("DELETE FROM django_session")
            connection.execute("DELETE FROM notifications_heartbeat")
            connection.execute("UPDATE notifications_channelstate SET announced_at = NULL")
        found = connection.execute("SELECT count(*) FROM accounts_auditevent").fetchone()
        connection.execute("ANALYZE")
    return int(found[0]) if found else 0


@contextmanager
def _closed(server: Server) -> Iterator[Connection]:
    """The empty database while nobody who serves may enter it; they may, once all went well."""
    try:
        with psycopg.connect(server.url, autocommit=True, connect_timeout=10) as connection:
            _require_empty(connection)
            _allow(connection, "REVOKE CONNECT ON DATABASE {} FROM {}", ("PUBLIC", *RUNTIME_ROLES))
            yield connection
            _allow(connection, "GRANT CONNECT ON DATABASE {} TO {}", RUNTIME_ROLES)
    except psycopg.Error as error:
        raise DumpFailed(f"the database: {type(error).__name__}") from None


def _require_empty(connection: Connection) -> None:
    tables = connection.execute(
        "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'S', 'v')"
    ).fetchone()
    if tables and tables[0]:
        raise DumpFailed("this database is not empty: make a new one, nothing is overwritten")
    roles = connection.execute(
        "SELECT count(*) FROM pg_roles WHERE rolname = ANY(%s)", [list(RUNTIME_ROLES)]
    ).fetchone()
    if not roles or roles[0] != len(RUNTIME_ROLES):
        raise DumpFailed("this server lacks the roles of Handrail: docker/postgres-roles.sh")


def _allow(connection: Connection, statement: LiteralString, roles: Sequence[str]) -> None:
    for role in roles:
        name = sql.SQL(role) if role == "PUBLIC" else sql.Identifier(role)
        database = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL(statement).format(database, name))


def _name(server: Server) -> str:
    return urlsplit(server.url).path.lstrip("/")
