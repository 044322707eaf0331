"""A phone that was offline for a month: 30 check-ins in one request, per row.

Ours is `POST /api/v1/sync` with the cursor of the phone's last answer. Stock has no such route in
its tutorial: its rows come one request each (`stock`), and, as a further step that its manual
shows, many in one request (`stock_batch`). The limit is pgbench with the statements of our sync.
"""

from __future__ import annotations

from bench import crowd  # loads Django, so it comes first

# isort: split
import os
import random
import re
from collections import deque
from collections.abc import Hashable
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from backend.intake.api.sync import cursor_parts
from backend.rest import encode_cursor
from backend.tracking.deltas import Cursor
from bench.bodies import Template, days_offline, fresh_ids, request
from bench.captured import blanks_of, is_known, key_of
from bench.check_in import OUR_ROWS, STOCK_ROWS, send_once
from bench.ingest import Counted, HttpWay, figures, postgres_tree, take_turns
from bench.limit import Limit, copy_tables
from bench.options import Asked, broker_tree, finish, parse
from bench.scripts import Blank, script
from bench.serving import our_server, stock_server
from bench.statements import statements_of
from bench.stock_database import make_stock_database

PATH = "/api/v1/sync"
ROWS = 30
FLOORS = {"stock": 30.0, "pgbench": 0.2}
# One or two of the thirty are acute, in turns: one in twenty.
ACUTE_DAYS = (frozenset({3}), frozenset({3, 17}))
_CURSOR = re.compile(rb'"cursor":"([^"]+)"')
_AFTER = re.compile(r"(?:\w+\.|\"\w+\"\.)?\"?sync_seq\"? > '?\d+'?(?:::\w+)?")


class Phones:
    """Syncs of people in turn, each with the cursor that their last one answered."""

    def __init__(self, cursors: dict[int, bytes]) -> None:
        now = datetime.now(UTC)
        self._templates = [
            Template(_changes(days_offline(at=now, days=ROWS, acute_days=acute)))
            for acute in ACUTE_DAYS
        ]
        self._cursors = cursors
        self._waiting = deque(cursors)
        self._ids = fresh_ids(random.getrandbits(28))
        self._taken = 0

    def take(self) -> tuple[bytes, Hashable]:
        self._taken += 1
        person = self._waiting.popleft()
        return self.of(person, self._taken % len(self._templates)), person

    def of(self, person: int, variant: int) -> bytes:
        """The sync of that person with one (0) or two (1) acute days."""
        changes = self._templates[variant].filled(self._ids)
        body = b'{"cursor":"%s","changes":%s}' % (self._cursors[person], changes)
        return request(PATH, crowd.token_of(person), body)

    def answered(self, name: Hashable, status: int, body: bytes) -> None:
        assert isinstance(name, int)
        found = _CURSOR.search(body)
        if status == 200 and found and body.count(b'"status":"created"') == ROWS:
            self._cursors[name] = found[1]
        self._waiting.append(name)


class OfflineDays:
    """The same days at the stock server: one request each, or all of a month in one."""

    def __init__(self, path: str, *, people: int, rows: int) -> None:
        now = datetime.now(UTC)
        days = [days_offline(at=now, days=ROWS, acute_days=acute) for acute in ACUTE_DAYS]
        bodies: list[Any] = days if rows > 1 else [day for month in days for day in month]
        self._templates = [Template(body) for body in bodies]
        self._path, self._people = path, people
        self._ids = fresh_ids(random.getrandbits(28))
        self._taken = 0

    def take(self) -> tuple[bytes, Hashable]:
        self._taken += 1
        body = self._templates[self._taken % len(self._templates)].filled(self._ids)
        token = crowd.token_of(random.randint(1, self._people))
        return request(self._path, token, body, scheme="Token"), self._taken

    def answered(self, name: Hashable, status: int, body: bytes) -> None:
        """The status alone counts."""


def _changes(days: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"op": "create", "type": "check_in", "item": day} for day in days]


def cursors_of(people: int) -> dict[int, bytes]:
    """Where each person's phone stands: it has everything that is there."""
    with psycopg.connect(os.environ["BENCH_SUPERUSER_URL"]) as connection:
        (epoch,) = connection.execute("SELECT epoch FROM tracking_syncepoch").fetchone() or (None,)
        rows = connection.execute(
            "SELECT DISTINCT ON (patient_id) patient_id, sync_seq, id FROM tracking_checkin"
            " ORDER BY patient_id, sync_seq DESC"
        ).fetchall()
    last = {patient: Cursor(epoch, seq, row_id) for patient, seq, row_id in rows}
    return {
        number: encode_cursor(cursor_parts(last[crowd.id_of(crowd.PATIENT, number)])).encode()
        for number in range(1, people + 1)
    }


def limit_of(port: int, phones: Phones, asked: Asked, copied: str) -> tuple[Limit, list[int]]:
    """The statements of a sync with one and with two acute days, as pgbench's scripts."""
    scripts: dict[Path, int] = {}
    counts = []
    # A number of the sequence a little before the rows just stored: other clients store, too.
    after = [Blank(_AFTER.pattern, f"sync_seq > currval('tracking_sync_seq') - {2 * ROWS}")]
    for variant in range(len(ACUTE_DAYS)):
        person = asked.people - variant
        made = phones.of(person, variant)
        found = statements_of(partial(send_once, port, made), asked.log)
        if not any(_AFTER.search(statement) for statement in found):
            raise SystemExit("The statement that reads what is new was not recognised.")
        text = script(
            found,
            blanks=[*blanks_of(person, asked.people), key_of(person)],
            people=asked.people,
            is_known=is_known(),
            outside=after,
        )
        file = asked.folder / f"sync30_{variant}.sql"
        file.write_text(text)
        scripts[file] = 1
        counts.append(len(found))
    return Limit(scripts, Counted(copied, OUR_ROWS), rows_a_transaction=ROWS), counts


def run(asked: Asked) -> dict[str, Any]:
    """Fills the tables, starts the servers, measures in turns; returns the figures."""
    print(f"filling the tables for {asked.people:,} people ...", flush=True)
    crowd.fill(asked.people)
    stock_url, copied = make_stock_database(asked.people), copy_tables()
    with ExitStack() as stack:
        ours = stack.enter_context(our_server(asked.folder))
        stock = stack.enter_context(stock_server(asked.folder, stock_url))
        postgres = postgres_tree()
        phones = Phones(cursors_of(asked.people))
        our_way = HttpWay(
            ours, phones, Counted(os.environ["BENCH_SUPERUSER_URL"], OUR_ROWS),
            accepts=frozenset({200}), rows_a_request=ROWS, beside=(broker_tree(),),
        )  # fmt: skip
        stored = Counted(stock_url, STOCK_ROWS)
        one_by_one = OfflineDays("/check-ins/", people=asked.people, rows=1)
        in_one = OfflineDays("/check-ins/batch/", people=asked.people, rows=ROWS)
        accepts = frozenset({201})
        stock_way = HttpWay(stock, one_by_one, stored, accepts)
        batch_way = HttpWay(stock, in_one, stored, accepts, rows_a_request=ROWS)
        clients = asked.clients
        our_way.turn(postgres, clients=clients, seconds=1)
        limit, statements = limit_of(ours.port, phones, asked, copied)
        turns = take_turns(
            {
                "ours": lambda s: our_way.turn(postgres, clients=clients, seconds=s),
                "stock": lambda s: stock_way.turn(postgres, clients=clients, seconds=s),
                "stock_batch": lambda s: batch_way.turn(postgres, clients=clients, seconds=s),
                "pgbench": lambda s: limit.turn(postgres, clients=clients, seconds=s),
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
        rows_a_request=ROWS,
        acute_share=sum(map(len, ACUTE_DAYS)) / len(ACUTE_DAYS) / ROWS,
        statements=statements,
    )


if __name__ == "__main__":
    finish(run, parse(__doc__))
