"""What PostgreSQL and Valkey have in common: a folder they may write, a free port, readiness."""

from __future__ import annotations

import os
import secrets
import subprocess
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from local import launch
from local.launch import LaunchError, Program, ServerUser
from local.logs import tail
from local.state import write_private

READY_WITHIN = timedelta(seconds=60)
FORMER_ENDS_WITHIN = timedelta(seconds=20)
"""How long a start waits for the server of a killed supervisor to let go of its data."""

HOMES = Path("/var/lib/handrail")
"""Where root keeps the data of state folders that a server's account could not enter."""

_PORT_TRIES = 3
_PAUSE_S = 0.02
_PORT_TAKEN = "in use"  # both servers' words for EADDRINUSE


class Server(Protocol):
    """One server program that listens on ``port`` and appends to ``log``."""

    port: int
    log: Path

    def prepare(self) -> None:
        """Take its folder and make the data; raises LaunchError."""

    def program(self) -> Program:
        """What to launch, given the port."""

    def is_ready(self, process: subprocess.Popen[bytes]) -> bool:
        """Whether that process serves now."""

    def close(self) -> None:
        """Let go of the folder, once the process has ended."""


def start(server: Server, pause: Callable[[float], None] = time.sleep) -> subprocess.Popen[bytes]:
    """Launch a server on a free port and return once it serves.

    Another port is tried when somebody took the free one in between. ``pause`` may raise to
    give up; the server is stopped then. Raises LaunchError with the end of the log.
    """
    for _ in range(_PORT_TRIES):
        server.port = launch.free_port()
        written = server.log.stat().st_size if server.log.exists() else 0
        program = server.program()
        process = launch.launch(program)
        try:
            if _wait_ready(server, process, pause):
                return process
        except BaseException:
            launch.stop(process, program)
            raise
        launch.stop(process, program)
        said = tail(server.log, start=written)
        if _PORT_TAKEN not in said:
            break
    raise LaunchError(f"{program.name} did not start:\n{said}")


def _wait_ready(
    server: Server, process: subprocess.Popen[bytes], pause: Callable[[float], None]
) -> bool:
    deadline = time.monotonic() + READY_WITHIN.total_seconds()
    while process.poll() is None and time.monotonic() < deadline:
        if server.is_ready(process):
            return True
        pause(_PAUSE_S)
    return False


def make_folder(folder: Path, user: ServerUser | None) -> None:
    """Make a folder private to us; a server's own account may pass through but not look.

    One that is there already keeps its mode: somebody may have named a folder they share.
    """
    if not folder.exists():
        folder.mkdir(parents=True)
        folder.chmod(0o700 if user is None else 0o711)


def data_home(folder: Path, user: ServerUser | None) -> Path:
    """The folder in which a server keeps its data: ``folder``, or one its account can enter.

    A folder below a closed one (root's home, say) is out of the reach of the account the server
    runs under. Its data then live below ``HOMES`` and a file in ``folder`` remembers where.
    """
    if user is None or user.can_enter(folder):
        return folder
    remembered = folder / "data-home"
    if not remembered.exists():
        write_private(remembered, str(HOMES / secrets.token_hex(12)))
    home = Path(remembered.read_text())
    HOMES.mkdir(parents=True, exist_ok=True)
    HOMES.chmod(0o711)
    make_folder(home, user)
    return home


def server_environment() -> dict[str, str]:
    """All a server gets of our environment: nothing of ours concerns it."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
