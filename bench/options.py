"""The command line of the works, and where the figures of the ingest ones go."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.measure import ProcessTree

PEOPLE, FULL_PEOPLE = 1_000, 10_000


@dataclass(frozen=True, slots=True)
class Asked:
    """How long, how many, and the folder of this run."""

    out: Path
    rounds: int
    seconds: float
    clients: int
    people: int

    @property
    def folder(self) -> Path:
        return self.out.parent

    @property
    def log(self) -> Path:
        """PostgreSQL's."""
        return Path(os.environ["BENCH_POSTGRES_LOG"])


@dataclass(frozen=True, slots=True)
class Size:
    """Where the figures go, how often, and whether at the size the goals are stated for."""

    out: Path
    rounds: int
    full: bool


def parse_size(description: str | None) -> Size:
    """What `python -m bench` hands on to a work without a web server."""
    given = _parser(description).parse_args()
    return Size(given.out, given.rounds, given.full)


def _parser(description: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--full", action="store_true")
    return parser


def parse(description: str | None) -> Asked:
    """What `python -m bench` hands on."""
    parser = _parser(description)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--people", type=int)
    given = parser.parse_args()
    return Asked(
        out=given.out,
        rounds=given.rounds,
        seconds=given.seconds,
        clients=given.clients,
        people=given.people or (FULL_PEOPLE if given.full else PEOPLE),
    )


def broker_tree() -> ProcessTree:
    """The broker's process, which our web process wakes the workers through."""
    return ProcessTree(int(os.environ["BENCH_BROKER_PID"]))


def finish(run: Callable[[Asked], dict[str, Any]], asked: Asked) -> None:
    """Runs it, shows what a row cost each way, and writes the figures."""
    figures = run(asked)
    ways = [name for name, each in figures.items() if isinstance(each, dict) and "rows" in each]
    for way in ways:
        cost = figures[way]
        against = figures.get(f"vs_{way}")
        print(
            f"  {way:12} {cost['rows_per_cpu_s']:9.0f} rows a CPU second"
            f" ({cost['web_cpu_ms_a_row']:.3f} ms web, {cost['postgres_cpu_ms_a_row']:.3f} ms"
            f" PostgreSQL){f'   ours is {against} of it' if against else ''}"
        )
    asked.out.write_text(json.dumps(figures))
