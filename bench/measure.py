"""Comparing two ways to do the same work: in turns, by the CPU they cost, never by the clock.

A machine's speed drifts by a factor of two from hour to hour, and a waiting process costs nobody
anything. So each round runs every way once, and what is counted is the time that their processes
spent on a processor: this one, and PostgreSQL with all of its children.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

_PROC = Path("/proc")
_TICK_S = 0.01
_PPID, _CHILDREN_USER, _CHILDREN_SYSTEM = 1, 13, 14
"""Columns of /proc/<pid>/stat, counted from the one after the name."""


@dataclass(frozen=True, slots=True)
class ProcessTree:
    """A process and everything below it, now and in the past."""

    root: int

    def cpu_s(self) -> float:
        """Seconds of CPU so far: of the living to the nanosecond, of the ended in hundredths."""
        parents = {pid: int(stat[_PPID]) for pid, stat in _stats().items()}
        members = [pid for pid in parents if self._is_below(pid, parents)]
        return sum(_own_cpu_s(pid) + _ended_children_cpu_s(pid) for pid in members)

    def _is_below(self, pid: int, parents: Mapping[int, int]) -> bool:
        while pid in parents and pid != self.root:
            pid = parents[pid]
        return pid == self.root


def parent_of(pid: int) -> int:
    """The process that started this one."""
    return int(_stat(pid)[_PPID])


def _stats() -> dict[int, list[str]]:
    found = {}
    for folder in _PROC.iterdir():
        if folder.name.isdecimal():
            try:
                found[int(folder.name)] = _stat(int(folder.name))
            except (FileNotFoundError, ProcessLookupError):
                continue
    return found


def _stat(pid: int) -> list[str]:
    # The name stands in parentheses and may hold anything, a parenthesis too.
    return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()


def _own_cpu_s(pid: int) -> float:
    total = 0
    try:
        for thread in (_PROC / str(pid) / "task").iterdir():
            total += int((thread / "schedstat").read_text().split()[0])
    except (FileNotFoundError, ProcessLookupError):
        pass  # it has ended; its parent's account has it from now on
    return total / 1e9


def _ended_children_cpu_s(pid: int) -> float:
    try:
        stat = _stat(pid)
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return (int(stat[_CHILDREN_USER]) + int(stat[_CHILDREN_SYSTEM])) * _TICK_S


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of one run: CPU here, CPU in PostgreSQL, and what the clock said."""

    client_ms: float
    server_ms: float
    wall_ms: float

    @property
    def cpu_ms(self) -> float:
        return self.client_ms + self.server_ms

    def as_json(self) -> dict[str, float]:
        rounded = {name: round(value, 3) for name, value in asdict(self).items()}
        return {"cpu_ms": round(self.cpu_ms, 3), **rounded}


def measure(run: Callable[[], object], server: ProcessTree, *, times: int = 1) -> Cost:
    """What one run costs, averaged over `times` runs in a row."""
    gc.collect()
    on_server, here, began = server.cpu_s(), time.process_time(), time.perf_counter()
    for _ in range(times):
        run()
    ended, here_ended = time.perf_counter(), time.process_time()
    spent = (here_ended - here, server.cpu_s() - on_server, ended - began)
    return Cost(*(1000 * seconds / times for seconds in spent))


def in_turns(
    ways: Mapping[str, Callable[[], object]],
    server: ProcessTree,
    *,
    rounds: int,
    times: Mapping[str, int],
) -> dict[str, list[Cost]]:
    """Every way once a round, after one run of each that is not counted.

    `times` says how often a way is repeated within its turn: a fast one needs several, or what is
    measured is the measuring.
    """
    for run in ways.values():
        run()
    costs: dict[str, list[Cost]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, run in ways.items():
            costs[name].append(measure(run, server, times=times[name]))
    return costs


def middle(costs: list[Cost]) -> Cost:
    """The round in the middle by CPU: one disturbed round changes nothing."""
    ordered = sorted(costs, key=lambda cost: cost.cpu_ms)
    return ordered[len(ordered) // 2]


def ratio(stock: list[Cost], ours: list[Cost]) -> dict[str, Any]:
    """How many times less CPU ours takes: round by round, then the middle, least and greatest."""
    each = [there.cpu_ms / here.cpu_ms for there, here in zip(stock, ours, strict=True)]
    return {
        "vs_stock": round(statistics.median(each), 1),
        "vs_stock_least": round(min(each), 1),
        "vs_stock_greatest": round(max(each), 1),
    }
