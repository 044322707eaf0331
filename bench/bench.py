"""Ours, the stock way and the limit side by side: `make bench`, or `python -m bench`.

    python -m bench                     every work, at the default size
    python -m bench caseload --full     one work at full size (minutes to fill the tables)
    python -m bench check_in sync30 --seconds 10 --clients 32

Boots a PostgreSQL of its own, fills it, asserts that both ways give equal answers, runs them in
turns and counts the CPU of this side and of PostgreSQL. Prints ratios; absolute figures are of
this machine and this hour. Writes out/bench.json, one object a work; works that were not run keep
what was there. Needs Linux (/proc) and nothing else running at full load beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.durable import DurableServers
from local.launch import LaunchError
from local.postgres import DATABASE, OWNER, SUPERUSER, WEB, WORKER
from local.programs import ROOT, without_secrets
from local.throw_away import ThrowAwayServers

OUT = ROOT / "out" / "bench.json"
WORKS: Mapping[str, str] = {
    "caseload": "bench.caseload",
    "check_in": "bench.check_in",
    "growth": "bench.growth",
    "push": "bench.push",
    "sweep": "bench.sweep",
    "sync30": "bench.sync30",
}
INGEST = ("check_in", "sync30")
"""Works that store through a web server, on servers that lose nothing in a crash."""


def parser() -> argparse.ArgumentParser:
    """What the command line takes."""
    made = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("works", nargs="*", help=f"which: {', '.join(WORKS)} (default: all)")
    made.add_argument("--full", action="store_true", help="at the size the goals are stated for")
    made.add_argument("--rounds", type=int, default=5, help="turns of each way (default: 5)")
    made.add_argument("--seconds", type=float, default=5, help="ingest: length of a turn")
    made.add_argument("--clients", type=int, default=16, help="ingest: requests under way")
    made.add_argument("--people", type=int, help="ingest: patients (default: 1,000)")
    made.add_argument(
        "--figures", type=Path, default=OUT, help="where they go (default: %(default)s)"
    )
    return made


def run_work(work: str, asked: argparse.Namespace) -> dict[str, Any]:
    """One work on servers of its own; returns its figures. Raises CalledProcessError."""
    booted = boot(work)
    try:
        booted.postgres.make_database()
        environment = _environment(booted)
        _run(("manage.py", "migrate", "--verbosity", "0"), environment, role="owner")
        out = booted.folder / "figures.json"
        options = ["--out", str(out), "--rounds", str(asked.rounds)]
        options += ["--full"] if asked.full else []
        if isinstance(booted, DurableServers):
            sizes = {"seconds": asked.seconds, "clients": asked.clients, "people": asked.people}
            options += [p for n, size in sizes.items() if size for p in (f"--{n}", str(size))]
            # It fills tables that no role of ours may fill.
            environment["DATABASE_OWNER_URL"] = environment["BENCH_SUPERUSER_URL"]
            environment |= booted.variables
        role = "owner" if isinstance(booted, DurableServers) else "web"
        _run(("-m", WORKS[work], *options), environment, role=role)
        figures: dict[str, Any] = json.loads(out.read_text())
        return figures
    finally:
        booted.close()


def boot(work: str) -> ThrowAwayServers | DurableServers:
    """The servers that a work needs. Raises LaunchError."""
    if work in INGEST:
        return DurableServers()
    return ThrowAwayServers(os.environ, postgres=True, valkey=False)


def _environment(booted: ThrowAwayServers | DurableServers) -> dict[str, str]:
    address = booted.postgres.address
    return {
        **without_secrets(os.environ),
        "HANDRAIL_ENV": "development",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "PATIENT_KEYS": f"bench:{secrets.token_urlsafe(32)}",
        "REDIS_URL": "none",
        "DATABASE_OWNER_URL": address.url(OWNER),
        "DATABASE_URL": address.url(WEB),
        "DATABASE_WORKER_URL": address.url(WORKER),
        "BENCH_SUPERUSER_URL": address.url(SUPERUSER, DATABASE),
    }


def _run(command: tuple[str, ...], environment: Mapping[str, str], *, role: str) -> None:
    subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**environment, "HANDRAIL_DATABASE_ROLE": role},
        check=True,
    )


def write(figures: Mapping[str, Any], out: Path = OUT) -> None:
    """Puts these works' figures into the file, beside those of other works."""
    known: dict[str, Any] = json.loads(out.read_text()) if out.exists() else {}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({**known, **figures}, indent=2) + "\n")


def main(arguments: list[str] | None = None) -> int:
    """0 when every work gave equal answers and reached its floor."""
    asked = parser().parse_args(arguments)
    unknown = set(asked.works) - WORKS.keys()
    if unknown:
        parser().error(f"unknown work: {', '.join(sorted(unknown))}")
    reached = True
    for work in asked.works or WORKS:
        print(f"== {work}", flush=True)
        try:
            figures = run_work(work, asked)
        except (LaunchError, subprocess.CalledProcessError) as error:
            print(f"{work} could not be measured: {error}")
            return 1
        write({work: figures}, asked.figures)
        floors = figures["floors"] if "floors" in figures else {"stock": figures["floor"]}
        for against, floor in floors.items():
            ratio = figures[f"vs_{against}"]
            reached = reached and ratio >= floor
            print(f"{work}: {ratio} x {against} (floor {floor}) -> {asked.figures}")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
