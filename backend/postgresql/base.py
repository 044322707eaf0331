"""The database engine that settings name. See the package's word on what differs."""

from __future__ import annotations

import select
from types import ModuleType
from typing import Any

import psycopg
from django.db.backends.postgresql import base

from backend.postgresql.asking import Row, Values
from backend.postgresql.telling import TellingConnection, TellingCursor


def _driver() -> ModuleType:
    """psycopg, but for the class of its connections."""
    driver = ModuleType("psycopg")
    driver.__dict__.update(psycopg.__dict__)
    driver.__dict__["connect"] = TellingConnection.connect
    return driver


class DatabaseWrapper(base.DatabaseWrapper):
    """Tells PostgreSQL who acts, and asks the socket whether a kept connection still stands.

    A server that went away, or ended this session, has left an end-of-file or a notice to read;
    an idle connection that is well has nothing. Django's own check sends a statement for each
    request, which was a tenth of a check-in's work.
    """

    Database = _driver()

    @property
    def pool(self) -> Any:
        options = self.settings_dict["OPTIONS"]
        if given := options.get("pool"):
            options["pool"] = {
                "connection_class": TellingConnection,
                **({} if given is True else given),
            }
        return super().pool

    def get_connection_params(self) -> dict[str, Any]:
        parameters: dict[str, Any] = super().get_connection_params()
        if parameters["cursor_factory"] is base.ServerBindingCursor:
            parameters["cursor_factory"] = TellingCursor
        return parameters

    def ask(self, sql: str, values: Values) -> list[Row]:
        """All rows of the answer, as a cursor would give them, and cheaper than by one."""
        if self.queries_logged or self.execute_wrappers:
            with self.cursor() as cursor:
                cursor.execute(sql, values)
                return cursor.fetchall() if cursor.description else []
        self.close_if_health_check_failed()
        self.ensure_connection()
        self.validate_no_broken_transaction()
        with self.wrap_database_errors:
            rows: list[Row] = self.connection.ask(sql, values)
        return rows

    def is_usable(self) -> bool:
        if self.connection is None or self.connection.closed:
            return False
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
        return not poll.poll(0)

    def _savepoint_rollback(self, sid: str) -> None:
        super()._savepoint_rollback(sid)  # type: ignore[misc]  # unknown to the stubs
        # Settings made since the savepoint went with it.
        self.connection.forget()
