"""The demo's pages on this machine for a while, and a browser that reaches nothing else."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from local.launch import LaunchError, free_port
from local.programs import ROOT, without_secrets
from local.run import is_healthy

UP_WITHIN_S = 30
# What one program seals, another opens.
SECRET_KEY = secrets.token_urlsafe(48)
BROWSERS = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)


@dataclass(frozen=True, slots=True)
class Database:
    """How the three roles reach one database."""

    owner: str
    web: str
    worker: str
    # One for all processes: what was encrypted while filling is read while serving.
    secret_key: str = field(
        default_factory=lambda: os.environ.get("SECRET_KEY") or secrets.token_urlsafe(48),
        repr=False,
    )

    patient_keys: str = field(
        default_factory=lambda: (
            os.environ.get("PATIENT_KEYS") or f"bench:{secrets.token_urlsafe(32)}"
        ),
        repr=False,
    )

    def environment(self) -> dict[str, str]:
        """What the programs need to know."""
        return {
            **without_secrets(os.environ),
            "HANDRAIL_ENV": "test",
            "SECRET_KEY": self.secret_key,
            "PATIENT_KEYS": self.patient_keys,
            "REDIS_URL": "none",
            "DATABASE_OWNER_URL": self.owner,
            "DATABASE_URL": self.web,
            "DATABASE_WORKER_URL": self.worker,
        }


def browser_path() -> str | None:
    """Where Chromium is; CHROMIUM names one that is elsewhere."""
    named = os.environ.get("CHROMIUM")
    return next((path for path in (named, *BROWSERS) if path and Path(path).exists()), None)


def fill(database: Database) -> Mapping[str, Mapping[str, str]]:
    """Migrates and seeds the demo and its cohort; returns the sign-ins by role."""
    owner = {**database.environment(), "HANDRAIL_DATABASE_ROLE": "owner"}
    _manage(owner, "migrate", "--verbosity", "0")
    _manage(database.environment(), "compile_messages")
    with tempfile.TemporaryDirectory() as folder:
        state = str(Path(folder) / "demo.json")
        printed = _manage(database.environment(), "seed_demo", "--state", state)
    _manage(database.environment(), "seed_cohort")
    sign_ins: Mapping[str, Mapping[str, str]] = json.loads(printed)["sign_ins"]
    return sign_ins


def _manage(environment: Mapping[str, str], *arguments: str) -> str:
    command = [sys.executable, "manage.py", *arguments]
    finished = subprocess.run(
        command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True, timeout=180
    )
    return finished.stdout


@contextmanager
def served(database: Database) -> Iterator[str]:
    """The web process, started as `make run` starts it; yields its address."""
    port = free_port()
    command = (sys.executable, "-m", "gunicorn", "backend.wsgi:application")
    options = ("--bind", f"127.0.0.1:{port}", "--worker-class", "gthread", "--threads", "8")
    process = subprocess.Popen(
        [*command, *options, "--no-control-socket", "--log-level", "error"],
        cwd=ROOT,
        env={**database.environment(), "HANDRAIL_DATABASE_ROLE": "web"},
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(process, address)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=15)


def _wait_for(process: subprocess.Popen[bytes], address: str) -> None:
    deadline = time.monotonic() + UP_WITHIN_S
    while not is_healthy(address):
        if process.poll() is not None or time.monotonic() > deadline:
            raise LaunchError("The web process did not come up.")
        time.sleep(0.05)
