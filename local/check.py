"""Every check that runs no test: ``python -m local.check``, or ``make check``."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from local.launch import LaunchError
from local.postgres import OWNER, WEB, WORKER
from local.programs import ROOT
from local.throw_away import ThrowAwayServers

_BIN = Path(sys.executable).parent
_DATABASE = "handrail_check"

CHECKS = {
    "messages": (sys.executable, "manage.py", "compile_messages"),
    "lint": (str(_BIN / "ruff"), "check", "."),
    "format": (str(_BIN / "ruff"), "format", "--check", "."),
    "types": (str(_BIN / "mypy"), "--num-workers=2"),
    "direction of imports": (str(_BIN / "lint-imports"),),
    "migrations": (sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"),
}
"""What to run under which name, in this order."""

SLOWEST = "types"


def run(environment: dict[str, str]) -> list[str]:
    """Run every check, whatever the others say; return the names of those that failed.

    The types, which take most of the time, are checked beside the others.
    """
    with ThreadPoolExecutor(max_workers=2) as pool:
        slowest = pool.submit(_checked, SLOWEST, environment)
        results = {
            name: _told(name, _checked(name, environment)) for name in CHECKS if name != SLOWEST
        }
        results[SLOWEST] = _told(SLOWEST, slowest.result())
    return [name for name in CHECKS if not results[name]]


def _checked(name: str, environment: dict[str, str]) -> tuple[bool, float, str]:
    """Whether it passed, after how many seconds, and what it printed."""
    began = time.monotonic()
    finished = subprocess.run(
        CHECKS[name],
        cwd=ROOT,
        env=environment,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return finished.returncode == 0, time.monotonic() - began, finished.stdout


def _told(name: str, result: tuple[bool, float, str]) -> bool:
    passed, seconds, printed = result
    verdict = "passed" if passed else "FAILED"
    print(f"== {name}\n{printed}   {name}: {verdict} in {seconds:.1f} s", flush=True)
    return passed


def _environment(servers: ThrowAwayServers) -> dict[str, str]:
    servers.postgres.make_database(_DATABASE)
    address = servers.postgres.address
    return {
        **os.environ,
        "HANDRAIL_ENV": "test",
        "SECRET_KEY": "checks sign nothing, this is no secret",
        "DATABASE_OWNER_URL": address.url(OWNER, _DATABASE),
        "DATABASE_URL": address.url(WEB, _DATABASE),
        "DATABASE_WORKER_URL": address.url(WORKER, _DATABASE),
        "REDIS_URL": "none",
    }


def main() -> int:
    """Run all checks against an empty throw-away database; 0 when all of them passed."""
    try:
        servers = ThrowAwayServers(os.environ, postgres=True, valkey=False)
    except LaunchError as error:
        print(error)
        return 1
    try:
        failed = run(_environment(servers))
    finally:
        servers.close()
    print(f"== failed: {', '.join(failed)}" if failed else f"== all {len(CHECKS)} checks passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
