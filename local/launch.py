"""Starts and stops programs as foreground children that die with this process."""

from __future__ import annotations

import os
import pwd
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO

_CHILD = Path(__file__).with_name("child.py")
_BACKLOG = 512


class LaunchError(Exception):
    """A program could not be started; the text is meant for the person at the keyboard."""


@dataclass(frozen=True, slots=True)
class ServerUser:
    """An account without rights of its own that root lends to a server."""

    name: str
    user_id: int
    group_id: int

    def can_run(self, binary: Path) -> bool:
        """Whether this account may reach and execute a file: asked, not computed from modes."""
        return self._may("-x", binary)

    def can_enter(self, folder: Path) -> bool:
        """Whether this account may reach something below a folder."""
        return self._may("-x", folder)

    def give(self, path: Path) -> None:
        """Make this account the owner of a file, or of a folder and everything in it."""
        os.chown(path, self.user_id, self.group_id)
        if path.is_dir():
            for inside in path.rglob("*"):
                os.chown(inside, self.user_id, self.group_id, follow_symlinks=False)

    def _may(self, permission: str, path: Path) -> bool:
        asked = subprocess.run(
            ["test", permission, str(path)],
            user=self.user_id,
            group=self.group_id,
            extra_groups=[],
            cwd="/",
            check=False,
        )
        return asked.returncode == 0


def server_user() -> ServerUser | None:
    """The account servers run under: ``postgres`` or ``nobody`` when we are root, else our own."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return ServerUser(name=name, user_id=entry.pw_uid, group_id=entry.pw_gid)
    raise LaunchError("PostgreSQL refuses to run as root and there is no user postgres or nobody.")


@dataclass(frozen=True, slots=True)
class Program:
    """One foreground program: what to run, as whom, and how to end it.

    ``environment`` is the whole environment, nothing is inherited. ``stdin`` carries secrets
    that have no business in a process list. ``keep_open`` are descriptors it is handed: locks
    that it must hold for as long as it lives, a socket to serve. ``death_signal`` is what it
    gets when we are killed.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    log: Path
    user: ServerUser | None = None
    stdin: str = ""
    keep_open: tuple[int, ...] = ()
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    grace: timedelta = timedelta(seconds=10)


def launch(program: Program, *, stdout: IO[bytes] | None = None) -> subprocess.Popen[bytes]:
    """Start a program in its own session, its output appended to its log.

    ``stdout`` takes what it prints apart from errors.

    Main thread only: the kernel sends the parent-death signal when the *thread* that forked
    ends, so a child of a short-lived thread would be killed for no visible reason.
    """
    if threading.current_thread() is not threading.main_thread():
        raise LaunchError(f"{program.name} must be started from the main thread")
    user_id, group_id = (program.user.user_id, program.user.group_id) if program.user else (-1, -1)
    shim = [sys.executable, "-I", "-S", str(_CHILD), str(os.getpid())]
    shim += [str(int(program.death_signal)), str(user_id), str(group_id)]
    with program.log.open("ab") as log:
        process = subprocess.Popen(
            [*shim, *program.command],
            stdin=subprocess.PIPE,
            stdout=stdout or log,
            stderr=log,
            env=dict(program.environment),
            cwd=program.folder,
            pass_fds=program.keep_open,
            start_new_session=True,  # Ctrl-C in a terminal reaches us alone: we stop them in order
        )
    _feed(process, program.stdin)
    return process


def _feed(process: subprocess.Popen[bytes], text: str) -> None:
    if process.stdin is None:
        return
    try:
        process.stdin.write(text.encode())
        process.stdin.close()
    except BrokenPipeError:
        pass  # it is dead already; whoever waits for it will say so


def stop(process: subprocess.Popen[bytes], program: Program) -> None:
    """Ask a program to end, insist after its grace, and sweep what it leaves in its session."""
    if process.poll() is None:
        process.send_signal(program.stop_signal)
        try:
            process.wait(program.grace.total_seconds())
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    sweep(process)


def sweep(process: subprocess.Popen[bytes]) -> None:
    """Kill what an ended program left running in its process group."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def free_port() -> int:
    """A TCP port of 127.0.0.1 nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listen(port: int) -> socket.socket | None:
    """A socket that listens on a port of 127.0.0.1; None where that is taken."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
        listening.listen(_BACKLOG)
    except OSError:
        listening.close()
        return None
    return listening
