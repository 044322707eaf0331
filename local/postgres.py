"""A PostgreSQL of our own: 127.0.0.1 only, a password for everybody, three roles without power."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from local import launch
from local.binaries import postgres_folder, reachable_postgres
from local.launch import LaunchError, Program
from local.servers import FORMER_ENDS_WITHIN, data_home, make_folder, server_environment
from local.state import Lock, LockedError, secret, write_private

SUPERUSER = "postgres"
OWNER, WEB, WORKER = "handrail_owner", "handrail_web", "handrail_worker"
ROLES = (OWNER, WEB, WORKER)
DATABASE = "handrail"

_READY_LINE = 7  # of postmaster.pid, counted from 0: what pg_ctl itself waits for
_INITDB = ("--encoding=UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256", f"--username={SUPERUSER}")
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_connections": "100",
    # The detail of an error quotes the row that was refused, and with it an address.
    "log_error_verbosity": "terse",
}
_THROW_AWAY = {
    "max_connections": "400",
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "checkpoint_timeout": "1h",
}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a PostgreSQL listens, and the password of each of its roles."""

    port: int
    passwords: Mapping[str, str]

    def url(self, role: str, database: str = DATABASE) -> str:
        """The URL with which a role reaches a database."""
        password = quote(self.passwords[role], safe="")
        return f"postgresql://{role}:{password}@127.0.0.1:{self.port}/{database}"


class Postgres:
    """The programs, data and passwords of one server.

    ``folder`` keeps passwords and data. ``durable=False`` trades crash safety for speed and is
    for throw-away data alone.
    """

    def __init__(
        self, *, folder: Path, log: Path, durable: bool, environment: Mapping[str, str]
    ) -> None:
        self.log, self.durable, self.port = log, durable, 0
        self._folder = folder
        self._user = launch.server_user()
        self._programs = reachable_postgres(postgres_folder(environment), self._user)
        self._home = folder
        self._lock: Lock | None = None

    @property
    def address(self) -> Address:
        """Port and passwords; each password is generated on first use and kept."""
        secrets = self._folder / "secrets"
        secrets.mkdir(mode=0o700, exist_ok=True)
        passwords = {role: secret(secrets / role) for role in (SUPERUSER, *ROLES)}
        return Address(port=self.port, passwords=passwords)

    def prepare(self) -> None:
        """Take the folder for ourselves and make the data if there are none.

        Raises LaunchError when a former server does not let go of them, or initdb fails.
        """
        make_folder(self._folder, self._user)
        self._home = data_home(self._folder, self._user)
        try:
            self._lock = Lock(self._folder / "lock", patience=FORMER_ENDS_WITHIN)
        except LockedError:
            raise LaunchError(f"Another PostgreSQL still uses {self._folder}.") from None
        if not self._data.exists():
            self._make_data()
        # Every server on this folder inherits the lock and we hold it: this file is stale.
        (self._data / "postmaster.pid").unlink(missing_ok=True)

    def program(self) -> Program:
        """What to launch. Fast shutdown (SIGINT) on request; throw-away data are just dropped."""
        settings = {**_SETTINGS, "port": str(self.port), **({} if self.durable else _THROW_AWAY)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        ending = signal.SIGINT if self.durable else signal.SIGQUIT
        return Program(
            name="postgres",
            command=(str(self._programs / "postgres"), "-D", str(self._data), *options),
            environment=server_environment(),
            folder=self._home,
            log=self.log,
            user=self._user,
            keep_open=self._locks,
            stop_signal=ending,
            death_signal=ending,
            grace=timedelta(seconds=30),
        )

    def is_ready(self, process: subprocess.Popen[bytes]) -> bool:
        """Whether it takes connections, by its own pid file: no refused log-in in the log."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        if len(lines) <= _READY_LINE or lines[0].strip() != str(process.pid):
            return False
        return lines[_READY_LINE].strip() == "ready"

    def make_roles(self) -> None:
        """Create the three roles, or give them the passwords we hold. Idempotent."""
        address = self.address
        with psycopg.connect(address.url(SUPERUSER, "postgres"), autocommit=True) as connection:
            for role in ROLES:
                _make_role(connection, role, address.passwords[role])

    def make_database(self, name: str = DATABASE) -> None:
        """Create a database of the owner's that web and worker may enter. Idempotent."""
        address = self.address
        with psycopg.connect(address.url(OWNER, "postgres"), autocommit=True) as connection:
            found = connection.execute("SELECT FROM pg_database WHERE datname = %s", [name])
            if found.rowcount == 0:
                create_database(connection, name)
        with psycopg.connect(address.url(OWNER, name), autocommit=True) as connection:
            restrict_database(connection, name, users=(WEB, WORKER))

    def close(self) -> None:
        """Let go of the folder, once the server has ended."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @property
    def _data(self) -> Path:
        return self._home / "data"

    @property
    def _locks(self) -> tuple[int, ...]:
        return (self._lock.descriptor,) if self._lock is not None else ()

    def _make_data(self) -> None:
        """Make the data under another name first: half of a data folder must not pass for one."""
        unfinished = self._home / "data-unfinished"
        if unfinished.exists():
            shutil.rmtree(unfinished)
        self._initdb(unfinished)
        unfinished.rename(self._data)

    def _initdb(self, data: Path) -> None:
        password_file = self._home / "initdb-password"
        write_private(password_file, self.address.passwords[SUPERUSER])
        data.mkdir(mode=0o700)
        if self._user is not None:
            self._user.give(password_file)
            self._user.give(data)
        try:
            self._run_initdb([f"--pgdata={data}", f"--pwfile={password_file}"])
        finally:
            password_file.unlink()

    def _run_initdb(self, options: list[str]) -> None:
        user = self._user
        finished = subprocess.run(
            [self._programs / "initdb", *_INITDB, *options, *([] if self.durable else ["-N"])],
            user=user.user_id if user else None,
            group=user.group_id if user else None,
            extra_groups=[] if user else None,
            env=server_environment(),
            cwd=self._home,
            pass_fds=self._locks,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            start_new_session=True,  # Ctrl-C ends us after it, not it in the middle
        )
        if finished.returncode != 0:
            raise LaunchError(f"initdb failed:\n{finished.stdout.decode(errors='replace')}")


Connection = psycopg.Connection[tuple[object, ...]]


def create_database(connection: Connection, name: str) -> None:
    """Create an empty database in UTF-8, whatever the server's own defaults are."""
    statement = (
        "CREATE DATABASE {} TEMPLATE template0 "
        "ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'"
    )
    connection.execute(sql.SQL(statement).format(sql.Identifier(name)))


def restrict_database(connection: Connection, name: str, *, users: tuple[str, ...]) -> None:
    """As its owner: nobody may enter or create anything in a database, ``users`` may enter."""
    names = {"db": sql.Identifier(name), "users": sql.SQL(", ").join(map(sql.Identifier, users))}
    for statement in (
        "REVOKE ALL ON DATABASE {db} FROM PUBLIC",
        "GRANT CONNECT ON DATABASE {db} TO {users}",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        "GRANT USAGE ON SCHEMA public TO {users}",
    ):
        connection.execute(sql.SQL(statement).format(**names))


def _make_role(connection: Connection, role: str, password: str) -> None:
    found = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [role])
    if found.rowcount == 0:
        connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
    # The server gets the verifier, never the password: statements may end up in its log.
    verifier = connection.pgconn.encrypt_password(
        password.encode(), role.encode(), b"scram-sha-256"
    )
    statement = (
        "ALTER ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS NOREPLICATION NOCREATEROLE {} PASSWORD {}"
    )
    may_create = sql.SQL("CREATEDB" if role == OWNER else "NOCREATEDB")
    connection.execute(
        sql.SQL(statement).format(sql.Identifier(role), may_create, verifier.decode())
    )
