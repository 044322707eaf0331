"""The hash chain over the audit log: how a row is written down, and what a seal's digest covers.

Runs on any cursor, so that whoever checks chooses the connection.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

VERSION = 1
NOTHING_BEFORE = "0" * 64
LOWEST = -(2**63)
PAGE = 2000

# PostgreSQL writes the row down itself, every field in its place, whatever the session's time
# zone and date style are. A moment is its seconds since 1970, which also shows an infinite one.
_ROWS = """
SELECT id, json_build_array(
    id, extract(epoch FROM at)::text, action, actor_id, actor_role, actor_name, device_id,
    request_id, patient_id, object_kind, object_id, was_allowed, facts
)::text
FROM (
    SELECT * FROM accounts_auditevent WHERE id > %s AND id <= %s ORDER BY id LIMIT %s
) AS page ORDER BY id
"""
_SEALS = """
SELECT number, version, first_id, last_id, count, extract(epoch FROM sealed_at)::text, digest
FROM privacy_auditseal WHERE number > %s ORDER BY number LIMIT %s
"""


class Cursor(Protocol):
    """Of Django or of psycopg."""

    def execute(self, query: str, params: Sequence[Any], /) -> Any: ...

    def fetchall(self) -> list[tuple[Any, ...]]: ...


@dataclass(frozen=True, slots=True)
class Seal:
    """A seal as its digest sees it; `sealed_at` in seconds since 1970, with six decimals."""

    number: int
    version: int
    first_id: int
    last_id: int
    count: int
    sealed_at: str
    digest: str = ""


def seconds(at: datetime) -> str:
    """As PostgreSQL's `extract(epoch ...)` writes it."""
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    return f"{since.days * 86400 + since.seconds}.{since.microseconds:06d}"


def rows(cursor: Cursor, *, after: int, until: int, most: int | None = None) -> Iterator[Any]:
    """(id, written row) for each row in order, a page in memory at a time."""
    left = most
    while left is None or left > 0:
        size = PAGE if left is None else min(PAGE, left)
        cursor.execute(_ROWS, [after, until, size])
        found = cursor.fetchall()
        yield from found
        if len(found) < size:
            return
        after = found[-1][0]
        left = None if left is None else left - size


def seals(cursor: Cursor, *, after: int = LOWEST) -> Iterator[Seal]:
    """Every seal in order, a page in memory at a time."""
    found = [Seal(after, 0, 0, 0, 0, "")]
    while found:
        cursor.execute(_SEALS, [found[-1].number, PAGE])
        found = [Seal(*row) for row in cursor.fetchall()]
        yield from found


class Stretch:
    """Rows that are being put under one seal."""

    def __init__(self, previous: str) -> None:
        self._hash = hashlib.sha256(previous.encode())
        self.first_id = self.last_id = 0
        self.count = 0

    def add(self, row_id: int, written: str) -> None:
        self._hash.update(b"\n" + written.encode())
        self.first_id = self.first_id if self.count else row_id
        self.last_id = row_id
        self.count += 1

    def digest(self, *, number: int, version: int, sealed_at: str) -> str:
        """Of the rows added, between the digest before and the seal's own fields."""
        fields = (number, version, self.first_id, self.last_id, self.count, sealed_at)
        closed = self._hash.copy()
        closed.update(b"\nseal " + " ".join(map(str, fields)).encode())
        return closed.hexdigest()
