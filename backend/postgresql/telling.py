"""Connections that tell PostgreSQL who acts, in each transaction and for no longer.

A setting of the session would outlast the request on a kept connection and show its rows to the
next one. `BEGIN` and the settings go in one message: psycopg's own way to send a command takes one
result back and no more, so the message is sent here (psycopg 3.3, held by a test).
"""

from __future__ import annotations

from typing import Any, cast

import psycopg
from django.db.backends.postgresql.base import CursorMixin
from psycopg import abc, errors, generators
from psycopg.abc import PQGen
from psycopg.adapt import Transformer
from psycopg.pq import ExecStatus, TransactionStatus

from backend import row_security
from backend.postgresql.asking import Asking, Numbered, Row, Sent, Values, numbered
from backend.row_security import NOBODY, Acting

_DONE = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)
_UNTOLD = Acting("untold")
_NAMELESS = (b"", b"", b"")
# Outside a transaction block SET LOCAL does nothing; a pipeline is a transaction and no block.
_SET = (
    "SELECT set_config('handrail.role', %s, true), set_config('handrail.user_id', %s, true),"
    " set_config('handrail.patient_id', %s, true)"
)
_TELL = numbered(_SET.replace("%s", "%s::text")).command


class TellingConnection(psycopg.Connection[Any]):
    """Says who acts with each `BEGIN`, and again when that changes within a transaction."""

    _told: Acting | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._asking = Asking(self.pgconn)
        # One for all statements, as none changes how a type is read: it keeps what it has looked
        # up. Under the lock, like all that asks.
        self._adapted: abc.Transformer | None = None

    def set_autocommit(self, value: bool) -> None:
        """Without a wait where there is nothing to wait for: Django asks twice a transaction."""
        if self.pgconn.transaction_status == TransactionStatus.IDLE:
            self._autocommit = bool(value)
        else:
            super().set_autocommit(value)

    def ask(self, sql: str, values: Values) -> list[Row]:
        """All rows of the answer to a statement, without a cursor; who acts is told as ever."""
        with self.lock:
            rows: list[Row] = self.wait(self._ask(numbered(sql), values))
        return rows

    def _ask(self, statement: Numbered, values: Values) -> PQGen[list[Row]]:
        self._check_connection_ok()
        ahead = yield from self._ahead()
        if (transformer := self._adapted) is None:
            transformer = self._adapted = Transformer(self)
        last = yield from self._asking.with_values(transformer, statement, values)
        result = yield from self._asking.answers([*ahead, last])
        if result.status != ExecStatus.TUPLES_OK:
            return []
        transformer.set_pgresult(result)
        return transformer.load_rows(0, result.ntuples, tuple)

    def _ahead(self) -> PQGen[list[Sent]]:
        """What has to reach PostgreSQL before the next statement, in the same message."""
        acting, status = row_security.current(), self.pgconn.transaction_status
        ahead = []
        told = self._told
        if status == TransactionStatus.IDLE:
            told = None
            if not self._autocommit:
                begin = self._get_tx_start_command()
                ahead.append(Sent((yield from self._asking.prepared(begin))))
        if acting is not told and acting != told:
            name = yield from self._asking.prepared(_TELL)
            ahead.append(Sent(name, _NAMELESS if acting is None else acting.values))
            # A setting of a transaction that the statement itself makes is gone with it.
            is_alone = self._autocommit and status == TransactionStatus.IDLE
            self._told = None if is_alone else acting
        return ahead

    def _deallocate(self, name: bytes | None) -> PQGen[None]:
        if name is None:
            self._asking.forget()
        yield from super()._deallocate(name)

    def forget(self) -> None:
        """What was told may have been rolled back: tell it again."""
        self._told = _UNTOLD

    def is_alone(self) -> bool:
        """Whether the next statement would be a transaction of its own, with somebody acting."""
        return (
            self._autocommit
            and self._pipeline is None
            and row_security.current() is not None
            and self.pgconn.transaction_status == TransactionStatus.IDLE
        )

    def _get_tx_start_command(self) -> bytes:
        self._told = None
        return super()._get_tx_start_command()

    def _start_query(self) -> PQGen[None]:
        acting = row_security.current()
        status = self.pgconn.transaction_status
        if status == TransactionStatus.IDLE:
            if self.is_alone():
                raise errors.ProgrammingError(
                    "somebody acts, and this statement tells nobody: open a transaction around it"
                )
            if acting is None or self._autocommit:
                yield from super()._start_query()
                return
            yield from self._tell(self._get_tx_start_command() + b"; " + acting.statements)
            self._told = acting
        elif (
            status == TransactionStatus.INTRANS
            and acting is not self._told
            and acting != self._told
        ):
            yield from self._tell(NOBODY if acting is None else acting.statements)
            self._told = acting

    def _tell(self, commands: bytes) -> PQGen[None]:
        if self._pipeline:  # which takes one command a message
            for command in commands.split(b"; "):
                yield from self._exec_command(command)
            yield from self._pipeline._sync_gen()
            return
        self._check_connection_ok()
        self.pgconn.send_query(commands)
        for result in (yield from generators.execute(self.pgconn)):
            if result.status not in _DONE:
                raise psycopg.errors.error_from_result(result, encoding=self.pgconn._encoding)


class TellingCursor(CursorMixin, psycopg.Cursor[Any]):
    """A statement of its own is told who acts, too, in the same round trip.

    In a pipeline the two are one transaction, which ends with the statement.
    """

    def execute(self, *args: Any, **kwargs: Any) -> Any:
        connection = cast("TellingConnection", self.connection)
        acting = row_security.current()
        if acting is None or not connection.is_alone():
            return super().execute(*args, **kwargs)
        with connection.pipeline():
            psycopg.Cursor(connection).execute(_SET, list(acting.settings().values()))
            return super().execute(*args, **kwargs)

    def executemany(self, *args: Any, **kwargs: Any) -> None:
        connection = cast("TellingConnection", self.connection)
        if not connection.is_alone():
            super().executemany(*args, **kwargs)
            return
        with connection.transaction():
            super().executemany(*args, **kwargs)
