"""Throw-away servers for tests and benches: booted in a second, gone without a trace."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import psycopg
from psycopg import sql

from local import launch, servers
from local.launch import LaunchError
from local.postgres import OWNER, SUPERUSER, Postgres
from local.state import Lock, LockedError
from local.valkey import Valkey

_PREFIX = "handrail-test-"
_SETTLED_AFTER = timedelta(minutes=1)
"""How old a folder must be before we call it abandoned: a younger one may lack its lock yet."""


class ThrowAwayServers:
    """A PostgreSQL with the three roles and no database, and a Valkey; both optional.

    Nothing they hold survives ``close``, and they end when this process is killed; the folder a
    killed process leaves is removed by the next one.
    """

    def __init__(self, environment: Mapping[str, str], *, postgres: bool, valkey: bool) -> None:
        """Boot what is wanted; raises LaunchError, having stopped what it started."""
        remove_abandoned()
        self.folder = _make_folder()
        self._lock = Lock(self.folder / "lock")
        self._running: list[tuple[servers.Server, subprocess.Popen[bytes]]] = []
        log, durable = self.folder / "servers.log", False
        made = self.folder / "postgres", self.folder / "valkey"
        self.postgres = Postgres(folder=made[0], log=log, durable=durable, environment=environment)
        self.valkey = Valkey(folder=made[1], log=log, durable=durable, environment=environment)
        try:
            if postgres:
                self._boot(self.postgres)
                self.postgres.make_roles()
                self._let_owner_drop()
            if valkey:
                self._boot(self.valkey)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Stop the servers and remove everything."""
        for server, process in reversed(self._running):
            launch.stop(process, server.program())
            server.close()
        self._running.clear()
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.close()

    def _boot(self, server: servers.Server) -> None:
        server.prepare()
        self._running.append((server, servers.start(server)))

    def _let_owner_drop(self) -> None:
        """Dropping a database others are connected to takes the right to end their sessions."""
        url = self.postgres.address.url(SUPERUSER, "postgres")
        with psycopg.connect(url, autocommit=True) as connection:
            grant = sql.SQL("GRANT pg_signal_backend TO {}")
            connection.execute(grant.format(sql.Identifier(OWNER)))


def remove_abandoned() -> None:
    """Remove the folders of processes that were killed before they could."""
    for parent in _candidates():
        for folder in parent.glob(f"{_PREFIX}*"):
            if _is_ours_and_settled(folder):
                _remove_unlocked(folder)


def _remove_unlocked(folder: Path) -> None:
    try:
        lock = Lock(folder / "lock")
    except (LockedError, OSError):
        return
    shutil.rmtree(folder, ignore_errors=True)
    lock.close()


def _is_ours_and_settled(folder: Path) -> bool:
    try:
        status = folder.lstat()
    except FileNotFoundError:
        return False
    settled = time.time() - status.st_mtime > _SETTLED_AFTER.total_seconds()
    return status.st_uid == os.geteuid() and settled and not folder.is_symlink()


def _make_folder() -> Path:
    user = launch.server_user()
    for parent in _candidates():
        if user is None or user.can_enter(parent):
            folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
            folder.chmod(0o700 if user is None else 0o711)
            return folder
    raise LaunchError("There is no folder for temporary files that a server could enter.")


def _candidates() -> list[Path]:
    names = dict.fromkeys((tempfile.gettempdir(), "/tmp", "/var/tmp"))  # noqa: S108 - mkdtemp'd
    return [Path(name) for name in names if Path(name).is_dir()]
