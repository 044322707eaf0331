"""One check-in, from the POST to its 201: ours, the stock way, and the limit, in turns.

Ours is the web process of `make run` with its broker; stock is a small REST framework project with
persistent connections; the limit is pgbench with the statements of our own request, taken from
PostgreSQL's log; the same without audit and row-level security says what those two cost it. One in
twenty is acute. PostgreSQL commits durably for everyone.
"""

from __future__ import annotations

from bench import crowd  # loads Django, so it comes first

# isort: split
import os
import random
import re
import statistics
from collections.abc import Hashable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from bench.bodies import ACUTE_EVERY, check_in_templates, fresh_ids, request
from bench.captured import CALM_AND_ACUTE, blanks_of, is_known, key_of
from bench.ingest import Counted, HttpWay, Turn, figures, postgres_tree, take_turns
from bench.limit import Limit, copy_tables
from bench.load import LoadClient
from bench.options import Asked, broker_tree, finish, parse
from bench.scripts import script
from bench.serving import our_server, stock_server
from bench.statements import statements_of
from bench.stock_database import make_stock_database

PATH = "/api/v1/check-ins"
_TELLS_WHO_ACTS = re.compile(r"^SELECT set_config\([^;]*handrail\.[^;]*;\n", re.MULTILINE)
_AUDITED = re.compile(r"\), audited AS \(.*?\n\), asked AS", re.DOTALL)
FLOORS = {"stock": 4.0, "pgbench": 0.15}
OUR_ROWS = (
    "SELECT count(*) FROM tracking_checkin",
    "SELECT count(*) FROM accounts_auditevent WHERE action = 'check_in.store'",
)
STOCK_ROWS = (
    "SELECT count(*) FROM stock_checkin",
    "SELECT count(*) FROM stock_auditevent WHERE action = 'check_in.store'",
)


class CheckIns:
    """Check-ins of people drawn at random; every twentieth is acute."""

    def __init__(self, path: str, *, people: int, scheme: str = "Bearer") -> None:
        self._calm, self._acute = check_in_templates(at=datetime.now(UTC))
        self._path, self._people, self._scheme = path, people, scheme
        self._random = random.Random()
        self._ids = fresh_ids(self._random.getrandbits(28))
        self._taken = 0

    def take(self) -> tuple[bytes, Hashable]:
        self._taken += 1
        return self.of(
            self._random.randint(1, self._people), is_acute=self._taken % ACUTE_EVERY == 0
        )

    def of(self, person: int, *, is_acute: bool) -> tuple[bytes, Hashable]:
        """One check-in of that person."""
        body = (self._acute if is_acute else self._calm).filled(self._ids)
        return request(self._path, crowd.token_of(person), body, scheme=self._scheme), self._taken

    def answered(self, name: Hashable, status: int, body: bytes) -> None:
        """The status alone counts."""


class Once:
    """One request, for a look at what it sets off."""

    def __init__(self, made: bytes) -> None:
        self._made = made
        self.status = 0

    def take(self) -> tuple[bytes, Hashable]:
        return self._made, 0

    def answered(self, name: Hashable, status: int, body: bytes) -> None:
        self.status = status


def send_once(port: int, made: bytes) -> None:
    """Raises AssertionError unless it is stored."""
    once, client = Once(made), LoadClient(port, clients=1)
    client.run(once, seconds=0)
    client.close()
    assert once.status in (200, 201), once.status


def limit_of(port: int, requests: CheckIns, asked: Asked, copied: str) -> tuple[Limit, list[int]]:
    """The statements of a calm and of an acute check-in, as pgbench's scripts."""
    scripts: dict[Path, int] = {}
    counts = []
    person = asked.people
    for name, weight in CALM_AND_ACUTE.items():
        made, _name = requests.of(person, is_acute=name == "acute")
        found = statements_of(partial(send_once, port, made), asked.log)
        text = script(
            found,
            blanks=[*blanks_of(person, asked.people), key_of(person)],
            people=asked.people,
            is_known=is_known(),
        )
        file = asked.folder / f"check_in_{name}.sql"
        file.write_text(text)
        scripts[file] = weight
        counts.append(len(found))
    return Limit(scripts, Counted(copied, OUR_ROWS)), counts


def unguarded(limit: Limit) -> Limit:
    """The same statements without what guards them: nobody is told who acts, no policy is asked,
    and the check-in leaves no row in the audit log."""
    scripts = {}
    for file, weight in limit.scripts.items():
        untold, times = _TELLS_WHO_ACTS.subn("", file.read_text())
        bare, stores = _AUDITED.subn("), asked AS", untold)
        if not times or stores != 1:
            raise SystemExit("The statements that guard a check-in were not recognised.")
        changed = file.with_stem(f"{file.stem}_unguarded")
        changed.write_text(bare)
        scripts[changed] = weight
    return Limit(scripts, Counted(limit.counted.url, OUR_ROWS[:1]), variable="BENCH_SUPERUSER_URL")


def guards(turns: Mapping[str, Sequence[Turn]]) -> dict[str, float]:
    """What audit and row-level security cost PostgreSQL for a check-in, in milliseconds of CPU and
    as a share of what the stock server and its PostgreSQL spend on one."""
    each = [
        1000 * (1 / guarded.rows_per_cpu_s - 1 / bare.rows_per_cpu_s)
        for guarded, bare in zip(turns["pgbench"], turns["unguarded"], strict=True)
    ]
    stock = statistics.median(1000 / turn.rows_per_cpu_s for turn in turns["stock"])
    return {
        "guards_postgres_ms": round(statistics.median(each), 4),
        "guards_share_of_stock": round(statistics.median(each) / stock, 4),
    }


def run(asked: Asked) -> dict[str, Any]:
    """Fills the tables, starts the servers, measures in turns; returns the figures."""
    print(f"filling the tables for {asked.people:,} people ...", flush=True)
    crowd.fill(asked.people)
    stock_url, copied = make_stock_database(asked.people), copy_tables()
    with ExitStack() as stack:
        ours = stack.enter_context(our_server(asked.folder))
        stock = stack.enter_context(stock_server(asked.folder, stock_url))
        postgres = postgres_tree()
        requests = CheckIns(PATH, people=asked.people)
        our_way = HttpWay(
            ours, requests, Counted(os.environ["BENCH_SUPERUSER_URL"], OUR_ROWS),
            accepts=frozenset({201}), beside=(broker_tree(),),
        )  # fmt: skip
        stock_way = HttpWay(
            stock, CheckIns("/check-ins/", people=asked.people, scheme="Token"),
            Counted(stock_url, STOCK_ROWS), accepts=frozenset({201}),
        )  # fmt: skip
        clients = asked.clients
        our_way.turn(postgres, clients=clients, seconds=1)
        limit, statements = limit_of(ours.port, requests, asked, copied)
        bare = unguarded(limit)
        turns = take_turns(
            {
                "ours": lambda s: our_way.turn(postgres, clients=clients, seconds=s),
                "stock": lambda s: stock_way.turn(postgres, clients=clients, seconds=s),
                "pgbench": lambda s: limit.turn(postgres, clients=clients, seconds=s),
                "unguarded": lambda s: bare.turn(postgres, clients=clients, seconds=s),
            },
            rounds=asked.rounds,
            seconds=asked.seconds,
        )
    return figures(
        turns,
        floors=FLOORS,
        clients=clients,
        seconds=asked.seconds,
        people=asked.people,
        acute_share=1 / ACUTE_EVERY,
        statements=dict(zip(CALM_AND_ACUTE, statements, strict=True)),
        **guards(turns),
    )


if __name__ == "__main__":
    finish(run, parse(__doc__))
