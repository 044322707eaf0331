"""Small real programs for the tests of the launcher, and what became of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from local.launch import Program

ROOT = Path(__file__).resolve().parents[2]


def python_program(folder: Path, code: str, *, name: str = "child") -> Program:
    """A program that runs a few lines of Python and inherits nothing but a path."""
    return Program(
        name=name,
        command=(sys.executable, "-u", "-c", code),
        environment={"PATH": os.defpath},
        folder=folder,
        log=folder / f"{name}.log",
    )


def start_python(
    folder: Path, code: str, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """A parent process of its own, to be killed by the test; it may import the project."""
    return subprocess.Popen(
        [sys.executable, "-u", "-c", code],
        cwd=folder,
        env={**os.environ, **(environment or {}), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


def kill(process: subprocess.Popen[str]) -> None:
    """End it without any chance to clean up."""
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    if process.stdout is not None:
        process.stdout.close()


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def wait_for(condition: Callable[[], bool], *, seconds: float = 10) -> bool:
    """Whether a condition comes true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return condition()
