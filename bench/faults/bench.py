"""The fault bench from end to end: the parts one after the other, a table, a file of figures.

Figures of time are of this machine and this hour; the counts are promises and have to be 0.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import Any

from bench.faults import misbehaving, mutants, runs, table
from bench.faults.copies import TextNotFoundError
from bench.faults.ground import Ground
from bench.faults.house import House
from bench.faults.options import Asked, parse
from bench.faults.runs import Load, told
from bench.faults.sweepers import sweep_alerts
from local.launch import LaunchError

NO_BROKER_RATE = 40.0


def say(text: str) -> None:
    """Tell the person at the keyboard."""
    print(text, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every count is 0, every mutant was caught, and every scene without one is green."""
    asked = parse(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    began = time.monotonic()
    try:
        ground = Ground(people=asked.people, commit=asked.commit, say=say)
    except LaunchError as error:
        say(str(error))
        return 1
    try:
        figures = _run(ground, asked)
    except (LaunchError, TextNotFoundError) as error:
        say(f"{type(error).__name__}: {error}")
        return 1
    finally:
        ground.close()
    figures["conditions"] = _conditions(asked, time.monotonic() - began)
    write(figures, asked)
    say(table.shown(figures))
    say(f"figures: {asked.out}")
    return 0 if table.is_green(figures) else 1


def _run(ground: Ground, asked: Asked) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    parts: Mapping[str, Callable[[], None]] = {
        "seeds": lambda: figures.update(seeds=_seeds(ground, asked)),
        "no_broker": lambda: figures.update(no_broker=_no_broker(ground, asked)),
        "no_faults": lambda: figures.update(no_faults=_no_faults(ground, asked)),
        "sweepers": lambda: figures.update(sweepers=_sweepers(ground, asked)),
        "firebase": lambda: figures.update(firebase=_firebase(ground, asked)),
        "mutants": lambda: figures.update(_mutants(ground, asked)),
    }
    for name, part in parts.items():
        if name in asked.parts:
            say(f"== {name}")
            part()
            write(figures, asked)
    return figures


def _seeds(ground: Ground, asked: Asked) -> list[dict[str, Any]]:
    found = []
    for seed in asked.seeds:
        say(f"  seed {seed}")
        found.append(
            runs.with_faults(
                ground, seed=seed, count=asked.check_ins, acute_share=asked.acute_share,
                faults=asked.faults, long_stop=asked.long_stop, say=say,
            )
        )  # fmt: skip
        say("    " + table.in_short(found[-1]))
    return found


def _no_broker(ground: Ground, asked: Asked) -> dict[str, Any]:
    load = Load(asked.quiet_check_ins, min(NO_BROKER_RATE, asked.rate), asked.acute_share)
    return runs.quiet(ground, load=load, broker=False)


def _no_faults(ground: Ground, asked: Asked) -> dict[str, Any]:
    return runs.quiet(
        ground, load=Load(asked.quiet_check_ins, asked.rate, asked.acute_share), broker=True
    )


def _sweepers(ground: Ground, asked: Asked) -> dict[str, Any]:
    house = House(ground, tree=ground.tree)
    try:
        return told(sweep_alerts(house, alerts=asked.alerts, sweepers=asked.sweepers))
    finally:
        house.close()


def _firebase(ground: Ground, asked: Asked) -> dict[str, Any]:
    return misbehaving.misbehave(ground, seconds=asked.firebase_s, say=say)


def _mutants(ground: Ground, asked: Asked) -> dict[str, Any]:
    caught, controls = mutants.hunt(ground, asked.mutants, say=say)
    return {"mutants": caught, "controls": controls}


def _conditions(asked: Asked, took_s: float) -> dict[str, Any]:
    return {
        "took_s": round(took_s),
        "processors": os.cpu_count(),
        "load_average": [round(each, 2) for each in os.getloadavg()],
        "people": asked.people,
        "python": sys.version.split()[0],
        "commit": asked.commit or "working copy",
    }


def write(figures: Mapping[str, Any], asked: Asked) -> None:
    """Parts that were not run keep what was there before."""
    known: dict[str, Any] = json.loads(asked.out.read_text()) if asked.out.exists() else {}
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps({**known, **figures}, indent=2) + "\n")


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
