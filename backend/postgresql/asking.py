"""Statements without a cursor: what a cursor does around one costs more than most answers do.

A statement is prepared once for each connection and from then on is one message there and one
back. What must come before it in its transaction goes in the same message: `BEGIN`, and who acts.
Every value goes through the connection's own adapters, so that a row is what a cursor would give
(psycopg 3.3, held by tests).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import Any

from psycopg import errors, generators
from psycopg.abc import PQGen, Transformer
from psycopg.adapt import PyFormat
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn, PGresult
from psycopg.waiting import Ready, Wait

Values = Sequence[Any] | Mapping[str, Any]
Row = tuple[Any, ...]

_PLACE = re.compile(r"%(?:\((\w+)\)s|(s)|(%))")
_DONE = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)


@dataclass(frozen=True, slots=True)
class Numbered:
    """A statement with `$1`, `$2` ... for its values, and their names where they have any."""

    command: bytes
    names: tuple[str, ...]

    def ordered(self, values: Values) -> Sequence[Any]:
        """The values in the order of their numbers."""
        if isinstance(values, Mapping):
            return [values[name] for name in self.names]
        return values


@lru_cache(maxsize=512)
def numbered(sql: str) -> Numbered:
    """The same statement as PostgreSQL wants it: with numbers for `%s` and `%(name)s`."""
    names: dict[str, int] = {}
    unnamed_so_far = 0

    def place(found: re.Match[str]) -> str:
        nonlocal unnamed_so_far
        name, unnamed, _percent = found.groups()
        if name:
            return f"${names.setdefault(name, len(names) + 1)}"
        if unnamed:
            unnamed_so_far += 1
            return f"${unnamed_so_far}"
        return "%"

    return Numbered(_PLACE.sub(place, sql).encode(), tuple(names))


@dataclass(frozen=True, slots=True)
class Sent:
    """One statement with its values, as they travel."""

    name: bytes
    values: Sequence[Any] | None = None
    formats: Sequence[Any] | None = None

    def hand_to(self, pgconn: PGconn) -> None:
        pgconn.send_query_prepared(self.name, self.values, self.formats)


class Asking:
    """What one connection has prepared, and how it asks. The caller holds the connection's lock."""

    def __init__(self, pgconn: PGconn) -> None:
        self._pgconn = pgconn
        self._names: dict[tuple[bytes, tuple[int, ...]], bytes] = {}
        # Never the same name again, also where what was forgotten stands yet.
        self._numbers = count()

    def prepared(self, command: bytes, types: tuple[int, ...] = ()) -> PQGen[bytes]:
        """The name of this statement here; it is prepared when it is asked for first."""
        name = self._names.get((command, types))
        if name is None:
            name = b"handrail_%d" % next(self._numbers)
            self._pgconn.send_prepare(name, command, types)
            (made,) = yield from generators.execute(self._pgconn)
            require_done(made, self._pgconn)
            self._names[command, types] = name
        return name

    def with_values(
        self, transformer: Transformer, statement: Numbered, values: Values
    ) -> PQGen[Sent]:
        """That statement, its values dumped by these adapters."""
        given = statement.ordered(values)
        dumped = transformer.dump_sequence(given, [PyFormat.AUTO] * len(given))
        name = yield from self.prepared(statement.command, transformer.types or ())
        return Sent(name, dumped, transformer.formats)

    def answers(self, sent: Sequence[Sent]) -> PQGen[PGresult]:
        """The last one's result. Raises what PostgreSQL said to the first that failed."""
        if len(sent) == 1:
            sent[0].hand_to(self._pgconn)
            results: list[PGresult] = yield from generators.execute(self._pgconn)
        else:
            results = yield from self._together(sent)
        for result in results:
            require_done(result, self._pgconn)
        return results[-1]

    def forget(self) -> None:
        """What was prepared is there no more."""
        self._names.clear()

    def _together(self, sent: Sequence[Sent]) -> PQGen[list[PGresult]]:
        self._pgconn.enter_pipeline_mode()
        try:
            for each in sent:
                each.hand_to(self._pgconn)
            self._pgconn.pipeline_sync()
            results = yield from self._until_synced()
        except BaseException:
            # Nobody can tell any more which answer belongs to what.
            self._pgconn.finish()
            raise
        self._pgconn.exit_pipeline_mode()
        return results

    def _until_synced(self) -> PQGen[list[PGresult]]:
        results: list[PGresult] = []
        waits = Wait.RW if self._pgconn.flush() else Wait.R
        while True:
            while not (ready := (yield waits)):
                continue
            if ready & Ready.W:
                waits = Wait.RW if self._pgconn.flush() else Wait.R
            if not ready & Ready.R:
                continue
            self._pgconn.consume_input()
            while not self._pgconn.is_busy():
                result = self._pgconn.get_result()
                if result is None:  # between two statements
                    continue
                if result.status == ExecStatus.PIPELINE_SYNC:
                    return results
                results.append(result)


def require_done(result: PGresult, pgconn: PGconn) -> None:
    """Raises the error of a statement that failed."""
    if result.status not in _DONE:
        raise errors.error_from_result(result, encoding=pgconn._encoding)
