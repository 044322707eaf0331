"""What the two ingest works share: turns of ours, the stock way and pgbench, and their ratios.

A turn is some seconds of load. What counts is work done per second of CPU, of the web server's
processes and PostgreSQL's together; the client's CPU and the clock are shown beside. After each
turn the rows are counted: a request that was answered and left no row ends the bench.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import psycopg

from bench.load import LoadClient, Outcome, Requests
from bench.measure import ProcessTree, parent_of
from bench.serving import Served


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn did: rows stored and what they cost. CPU in seconds.

    `client_cpu_s` is whoever asked, and counts for nothing.
    """

    rows: int
    web_cpu_s: float
    postgres_cpu_s: float
    elapsed_s: float
    client_cpu_s: float = 0.0
    p50_ms: float | None = None
    p99_ms: float | None = None

    @property
    def rows_per_cpu_s(self) -> float:
        return self.rows / (self.web_cpu_s + self.postgres_cpu_s)

    def as_json(self) -> dict[str, float | None]:
        """Raw figures, with what one row cost in milliseconds of CPU."""
        return {
            **{name: value and round(value, 4) for name, value in asdict(self).items()},
            "rows_per_cpu_s": round(self.rows_per_cpu_s, 1),
            "rows_per_s": round(self.rows / self.elapsed_s, 1),
            "web_cpu_ms_a_row": round(1000 * self.web_cpu_s / self.rows, 4),
            "postgres_cpu_ms_a_row": round(1000 * self.postgres_cpu_s / self.rows, 4),
        }


class Miscounted(Exception):
    """A turn's rows are not what was acknowledged. Nothing was measured."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Rows that every acknowledged item must have left: the same number in each table."""

    url: str
    queries: tuple[str, ...]

    def now(self) -> list[int]:
        with psycopg.connect(self.url) as connection:
            return [_number(connection, query) for query in self.queries]

    def require(self, before: list[int], rows: int) -> None:
        """Raises `Miscounted` unless each table grew by exactly `rows`."""
        grown = [after - there for after, there in zip(self.now(), before, strict=True)]
        if any(count != rows for count in grown):
            raise Miscounted(f"{rows} were acknowledged, {grown} stored: {self.queries}")


def _number(connection: psycopg.Connection[tuple[Any, ...]], query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])


def postgres_tree() -> ProcessTree:
    """The server, which runs on this machine: the parent of our own session's process."""
    with psycopg.connect(os.environ["BENCH_SUPERUSER_URL"]) as connection:
        return ProcessTree(parent_of(_number(connection, "SELECT pg_backend_pid()")))


@dataclass(frozen=True, slots=True)
class HttpWay:
    """One server under load: what to send it, and how many rows each accepted request makes."""

    served: Served
    requests: Requests
    counted: Counted
    accepts: frozenset[int]
    rows_a_request: int = 1
    beside: tuple[ProcessTree, ...] = ()

    def turn(self, postgres: ProcessTree, *, clients: int, seconds: float) -> Turn:
        """Raises `Miscounted`, also for any answer but an acceptance."""
        before = self.counted.now()
        client = LoadClient(self.served.port, clients=clients)
        try:
            own, in_postgres, in_web = os.times(), postgres.cpu_s(), self._cpu_s()
            outcome = client.run(self.requests, seconds=seconds)
            web, database, done = self._cpu_s() - in_web, postgres.cpu_s() - in_postgres, os.times()
        finally:
            client.close()
        rows = self.rows_a_request * _accepted(outcome, self.accepts)
        self.counted.require(before, rows)
        return Turn(
            rows=rows,
            web_cpu_s=web,
            postgres_cpu_s=database,
            elapsed_s=outcome.elapsed_s,
            client_cpu_s=done.user + done.system - own.user - own.system,
            p50_ms=outcome.milliseconds(0.5),
            p99_ms=outcome.milliseconds(0.99),
        )

    def _cpu_s(self) -> float:
        return sum(tree.cpu_s() for tree in (self.served.tree, *self.beside))


def _accepted(outcome: Outcome, accepts: frozenset[int]) -> int:
    others = {status: n for status, n in outcome.statuses.items() if status not in accepts}
    if others:
        raise Miscounted(f"answers other than {sorted(accepts)}: {others}")
    return outcome.statuses.total()


Way = Callable[[float], Turn]


def take_turns(ways: Mapping[str, Way], *, rounds: int, seconds: float) -> dict[str, list[Turn]]:
    """Each way once a round, after a short one of each that is not counted; then the other way
    round, so that nobody is always first."""
    for way in ways.values():
        way(min(seconds, 2.0))
    turns: dict[str, list[Turn]] = {name: [] for name in ways}
    for number in range(rounds):
        order = list(ways)[:: 1 if number % 2 == 0 else -1]
        for name in order:
            turns[name].append(ways[name](seconds))
            print(f"  {number + 1}/{rounds} {name:12} {_line(turns[name][-1])}", flush=True)
    return turns


def _line(turn: Turn) -> str:
    web, postgres = (1000 * s / turn.rows for s in (turn.web_cpu_s, turn.postgres_cpu_s))
    said = (
        f"{turn.rows_per_cpu_s:9.0f} rows/CPU s   web {web:7.3f} ms   PostgreSQL {postgres:6.3f} ms"
        f"   {turn.rows / turn.elapsed_s:6.0f}/s"
    )
    if turn.p50_ms is None or turn.p99_ms is None:
        return said
    return f"{said}   p50 {turn.p50_ms:.1f} ms   p99 {turn.p99_ms:.1f} ms"


def middle(turns: list[Turn]) -> Turn:
    """The turn in the middle by rows a CPU second."""
    return sorted(turns, key=lambda turn: turn.rows_per_cpu_s)[len(turns) // 2]


def ratio(ours: list[Turn], theirs: list[Turn]) -> tuple[float, float, float]:
    """How many times more rows a CPU second ours stores: the middle round, least, greatest."""
    each = [a.rows_per_cpu_s / b.rows_per_cpu_s for a, b in zip(ours, theirs, strict=True)]
    return statistics.median(each), min(each), max(each)


def figures(
    turns: Mapping[str, list[Turn]], *, floors: Mapping[str, float], **facts: Any
) -> dict[str, Any]:
    """The object of one work: `vs_<way>` for every other way, with the raw figures beside."""
    ratios: dict[str, float] = {}
    for name, theirs in turns.items():
        if name != "ours":
            middle_one, least, greatest = ratio(turns["ours"], theirs)
            ratios[f"vs_{name}"] = _rounded(middle_one)
            ratios[f"vs_{name}_least"] = _rounded(least)
            ratios[f"vs_{name}_greatest"] = _rounded(greatest)
    return {
        **ratios,
        "floor": floors["stock"],
        "floors": dict(floors),
        **facts,
        **{name: middle(of_way).as_json() for name, of_way in turns.items()},
        "rounds": {name: [turn.as_json() for turn in each] for name, each in turns.items()},
    }


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")
