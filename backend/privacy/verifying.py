"""Looks for what was changed in the audit log since it was sealed.

Reads everything once, in order, a page in memory at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from backend.privacy import chain, roots
from backend.privacy.chain import Cursor, Seal


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and at which seal."""

    seal: int
    what: str


@dataclass(slots=True)
class Tally:
    """What was looked at. `unsealed` rows are too new for a seal; nothing is known about them."""

    seals: int = 0
    rows: int = 0
    unsealed: int = 0
    last_root: int = 0


class Outside:
    """The roots kept outside of the database, told seal by seal."""

    def __init__(self, path: Path | None, *, end: int = 0) -> None:
        self._lines = iter(()) if path is None else roots.read(path, end=end)
        self._is_given = path is not None
        self._next: roots.Root | None = None
        self.last = 0

    def faults_at(self, seal: Seal) -> Iterator[Fault]:
        """What the lines up to this seal say against it."""
        if not self._is_given:
            return
        yield from self._missing(before=seal.number)
        root = self._peek()
        if root is not None and root.number == seal.number:
            self._next = None
            if not root.agrees_with(seal):
                yield Fault(seal.number, "is not the one that the file of roots has")
        elif root is not None:
            yield Fault(seal.number, "is missing in the file of roots, which has later ones")

    def faults_after(self) -> Iterator[Fault]:
        """What the file has and the table does not: the tail was cut."""
        yield from self._missing(before=2**63)

    def _missing(self, *, before: int) -> Iterator[Fault]:
        while (root := self._peek()) is not None and root.number < before:
            self._next = None
            words = "is in the file of roots and not in the database"
            yield Fault(root.number, words if root.number else "a line of the file is broken")

    def _peek(self) -> roots.Root | None:
        if self._next is None:
            self._next = next(self._lines, None)
            self.last = self._next.number if self._next else self.last
        return self._next


def verify(cursor: Cursor, *, tally: Tally, outside: Outside) -> Iterator[Fault]:
    """Every fault, as it is found. The cursor's transaction shows one moment of both tables."""
    previous, after, expected = chain.NOTHING_BEFORE, chain.LOWEST, 1
    for seal in chain.seals(cursor):
        if seal.number != expected:
            yield Fault(expected, f"is missing: the next one in the database is {seal.number}")
        yield from _faults_of(cursor, seal, previous, after, tally)
        yield from outside.faults_at(seal)
        previous, after, expected = seal.digest, max(after, seal.last_id), seal.number + 1
    yield from outside.faults_after()
    tally.unsealed = sum(1 for _row in chain.rows(cursor, after=after, until=2**63 - 1))
    tally.last_root = outside.last


def _faults_of(
    cursor: Cursor, seal: Seal, previous: str, after: int, tally: Tally
) -> Iterator[Fault]:
    stretch = chain.Stretch(previous)
    for row_id, written in chain.rows(cursor, after=after, until=seal.last_id):
        stretch.add(row_id, written)
    tally.seals += 1
    tally.rows += stretch.count
    digest = stretch.digest(number=seal.number, version=seal.version, sealed_at=seal.sealed_at)
    if seal.version != chain.VERSION:
        yield Fault(seal.number, f"has version {seal.version}, which nobody here can read")
    elif stretch.count != seal.count:
        yield Fault(seal.number, f"covers {seal.count} rows, and {stretch.count} are there")
    elif (stretch.first_id, stretch.last_id) != (seal.first_id, seal.last_id):
        yield Fault(seal.number, "begins or ends at another row")
    elif digest != seal.digest:
        yield Fault(seal.number, "does not fit its rows, its own fields or the seal before it")
