"""The command line of the fault bench."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.faults.mutants import MUTANTS, Mutant, named
from local.programs import ROOT

PARTS = ("seeds", "no_broker", "no_faults", "sweepers", "firebase", "mutants")
OUT = ROOT / "out" / "faults.json"


@dataclass(frozen=True, slots=True)
class Asked:
    """How much of it. `rate` in check-ins a second where nothing is broken."""

    parts: tuple[str, ...]
    seeds: tuple[int, ...]
    check_ins: int
    acute_share: float
    faults: int
    people: int
    mutants: tuple[Mutant, ...]
    rate: float
    quiet_check_ins: int
    alerts: int
    sweepers: int
    firebase_s: float
    long_stop: bool
    commit: str
    out: Path


def parser() -> argparse.ArgumentParser:
    """What the command line takes."""
    made = argparse.ArgumentParser(
        prog="python -m bench.faults",
        description="Breaks everything that Handrail rests on, and counts what was promised.",
    )
    made.add_argument("--short", action="store_true", help="about a minute: one seed, one mutant")
    made.add_argument("--seeds", type=int, help="how many seeds (3; short: 1)")
    made.add_argument("--check-ins", type=int, help="for each seed (10,000; short: 300)")
    made.add_argument("--faults", type=int, help="for each seed (60; short: 6)")
    made.add_argument("--people", type=int, help="patients (1,000; short: 100)")
    made.add_argument("--mutants", help="their names with commas, all, or none (short: none)")
    made.add_argument("--only", choices=PARTS, nargs="+", help="these parts alone")
    made.add_argument("--rate", type=float, default=100, help="check-ins a second without faults")
    made.add_argument("--commit", default="", help="break this commit, not the working copy")
    made.add_argument("--figures", type=Path, default=OUT, help="where they go (%(default)s)")
    return made


def parse(arguments: Sequence[str] | None) -> Asked:
    """Exits with a word on what is wrong with the command line."""
    made = parser()
    given = made.parse_args(arguments)
    short = given.short
    try:
        mutants = _mutants(given.mutants or ("none" if short else "all"))
    except KeyError as error:
        made.error(f"unknown mutant: {error.args[0]}")
    parts = tuple(given.only) if given.only else ("seeds", "mutants") if short else PARTS
    return Asked(
        parts=parts,
        seeds=tuple(range(1, 1 + (given.seeds or (1 if short else 3)))),
        check_ins=given.check_ins or (300 if short else 10_000),
        acute_share=0.2 if short else 0.05,
        faults=given.faults or (6 if short else 60),
        people=given.people or (100 if short else 1_000),
        mutants=mutants,
        rate=given.rate,
        quiet_check_ins=300 if short else 3_000,
        alerts=80 if short else 2_000,
        sweepers=3 if short else 8,
        firebase_s=45 if short else 600,
        long_stop=not short,
        commit=given.commit,
        out=given.figures,
    )


def _mutants(names: str) -> tuple[Mutant, ...]:
    if names == "none":
        return ()
    return MUTANTS if names == "all" else tuple(named(names.split(",")))
