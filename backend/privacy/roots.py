"""The roots of the audit log's seals, kept in a file outside of the database.

One line a seal: `number first_id last_id count sealed_at digest`, the digest last, so that a line
torn by a crash is never taken for a whole one. The next whole line begins with the torn one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from backend.privacy import append_only
from backend.privacy.append_only import TAIL, AppendOnlyFile
from backend.privacy.chain import Seal

DIGEST_LENGTH = 64


@dataclass(frozen=True, slots=True)
class Root:
    """What one line of the file says of a seal."""

    number: int
    first_id: int
    last_id: int
    count: int
    sealed_at: str
    digest: str

    def agrees_with(self, seal: Seal) -> bool:
        ours = (self.number, self.first_id, self.last_id, self.count, self.sealed_at, self.digest)
        return ours == (
            seal.number, seal.first_id, seal.last_id, seal.count, seal.sealed_at, seal.digest,
        )  # fmt: skip


BROKEN = Root(0, 0, 0, 0, "", "")
"""Stands for a line that says nothing of any seal."""


def line_of(seal: Seal) -> str:
    return (
        f"{seal.number} {seal.first_id} {seal.last_id} {seal.count} {seal.sealed_at} {seal.digest}"
    )


def parse(line: str) -> Root | None:
    """None for what is no whole line."""
    parts = line.split(" ")
    try:
        number, first_id, last_id, count = map(int, parts[:4])
        sealed_at, digest = parts[4:]
    except ValueError:
        return None
    is_whole = len(digest) == DIGEST_LENGTH
    return Root(number, first_id, last_id, count, sealed_at, digest) if is_whole else None


class RootsFile:
    """The file while nobody else writes to it."""

    def __init__(self, file: AppendOnlyFile) -> None:
        self._file = file

    def last(self) -> Root | None:
        """The last whole line, if there is one."""
        lines = reversed(self._file.last_lines())
        return next((root for line in lines if (root := parse(line))), None)

    def append(self, seals: Iterator[Seal]) -> int:
        """Writes a line each; returns how many."""
        return self._file.append(map(line_of, seals))


@contextmanager
def opened(path: Path) -> Iterator[RootsFile]:
    """Makes the file, for its owner alone, where there is none. Raises OSError."""
    with append_only.opened(path) as file:
        yield RootsFile(file)


def read(path: Path, *, end: int) -> Iterator[Root]:
    """Each line that begins before `end`; `BROKEN` for one that is neither whole nor torn."""
    with path.open("rb") as file:
        torn = ""
        while file.tell() < end:
            line = file.readline(TAIL).decode("utf-8", "replace").rstrip("\n")
            if torn and not line.startswith(torn):
                yield BROKEN
            root = parse(line)
            torn = "" if root else line
            if root or not line:
                yield root or BROKEN
