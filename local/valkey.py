"""A Valkey (or Redis) of our own: 127.0.0.1 only, a password, nothing evicted."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import redis

from local import launch
from local.binaries import reachable_valkey, valkey_file
from local.launch import LaunchError, Program
from local.servers import FORMER_ENDS_WITHIN, data_home, make_folder, server_environment
from local.state import Lock, LockedError, secret

DATABASES = 256
"""How many numbered databases it has: one for each parallel test process, with room."""


class Valkey:
    """The program, data and password of one server.

    ``folder`` keeps both. ``durable=False`` writes nothing to disk: for throw-away data alone.
    """

    def __init__(
        self, *, folder: Path, log: Path, durable: bool, environment: Mapping[str, str]
    ) -> None:
        self.log, self.durable, self.port = log, durable, 0
        self._folder = folder
        self._user = launch.server_user()
        self._file = reachable_valkey(valkey_file(environment), self._user)
        self._home = folder
        self._lock: Lock | None = None

    def url(self, database: int = 0) -> str:
        """The URL of one numbered database; the password is generated on first use and kept."""
        return f"redis://:{self._password}@127.0.0.1:{self.port}/{database}"

    def prepare(self) -> None:
        """Take the folder for ourselves.

        Raises LaunchError when a former server does not let go of it.
        """
        make_folder(self._folder, self._user)
        self._home = data_home(self._folder, self._user)
        try:
            self._lock = Lock(self._folder / "lock", patience=FORMER_ENDS_WITHIN)
        except LockedError:
            raise LaunchError(f"Another Valkey still uses {self._folder}.") from None
        self._data.mkdir(mode=0o700, exist_ok=True)
        if self._user is not None:
            self._user.give(self._data)

    def program(self) -> Program:
        """What to launch. Its settings go in by stdin: the password shows in no process list."""
        settings = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "requirepass": self._password,
            "dir": f'"{self._data}"',
            "databases": str(DATABASES),
            "maxmemory-policy": "noeviction",
            "appendonly": "yes" if self.durable else "no",
            "appendfsync": "everysec",
            "save": '""',
            "daemonize": "no",
        }
        return Program(
            name="valkey",
            command=(str(self._file), "-"),
            environment=server_environment(),
            folder=self._home,
            log=self.log,
            user=self._user,
            stdin="".join(f"{name} {value}\n" for name, value in settings.items()),
            keep_open=(self._lock.descriptor,) if self._lock is not None else (),
            death_signal=signal.SIGTERM if self.durable else signal.SIGKILL,
        )

    def is_ready(self, process: subprocess.Popen[bytes]) -> bool:
        """Whether it answers, its append-only file loaded."""
        if process.poll() is not None:
            return False
        with redis.Redis(port=self.port, password=self._password, socket_timeout=1) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False

    def close(self) -> None:
        """Let go of the folder, once the server has ended."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @property
    def _data(self) -> Path:
        return self._home / "data"

    @property
    def _password(self) -> str:
        return secret(self._folder / "password")
