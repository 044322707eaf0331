"""Connections that tell PostgreSQL who acts, in each transaction and for no longer.

A setting of the session would outlast the request on a kept connection and show its rows to the
next one. `BEGIN` and the settings go in one message: psycopg's own way to send a command takes one
result back and no more, so the message is sent here (psycopg 3.3, held by a test).
"""

from __future__ import annotations

from typing import Any, cast

import psycopg
from django.db.backends.postgresql.base import CursorMixin
from psycopg import errors, generators
from psycopg.abc import PQGen
from psycopg.pq import ExecStatus, TransactionStatus

from backend import row_security
from backend.row_security import NOBODY, Acting

_DONE = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)
_UNTOLD = Acting("untold")
# Outside a transaction block SET LOCAL does nothing; a pipeline is a transaction and no block.
_SET = (
    "SELECT set_config('handrail.role', %s, true), set_config('handrail.user_id', %s, true),"
    " set_config('handrail.patient_id', %s, true)"
)


class TellingConnection(psycopg.Connection[Any]):
    """Says who acts with each `BEGIN`, and again when that changes within a transaction."""

    _told: Acting | None = None

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
