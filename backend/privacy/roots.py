"""The roots of the audit log's seals, kept in a file outside of the database.

One line a seal: `number first_id last_id count sealed_at digest`, the digest last, so that a line
torn by a crash is never taken for a whole one. The next whole line begins with the torn one.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from backend.privacy.chain import Seal

DIGEST_LENGTH = 64
TAIL = 4096


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

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def last(self) -> Root | None:
        """The last whole line, if there is one."""
        end = self._file.seek(0, os.SEEK_END)
        self._file.seek(max(0, end - TAIL))
        lines = self._file.read().decode("utf-8", "replace").splitlines()
        return next((root for line in reversed(lines) if (root := parse(line))), None)

    def append(self, seals: Iterator[Seal]) -> int:
        """Writes a line each; returns how many."""
        self._end_torn_line()
        count = 0
        for seal in seals:
            self._file.write(f"{line_of(seal)}\n".encode())
            count += 1
        self._file.flush()
        os.fsync(self._file.fileno())
        return count

    def _end_torn_line(self) -> None:
        if self._file.seek(0, os.SEEK_END):
            self._file.seek(-1, os.SEEK_END)
            if self._file.read(1) != b"\n":
                self._file.write(b"\n")


@contextmanager
def opened(path: Path) -> Iterator[RootsFile]:
    """Makes the file, for its owner alone, where there is none. Raises OSError."""
    is_new = not path.exists()
    number = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(number, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if is_new:
            _keep_name(path.parent)
        yield RootsFile(file)


def _keep_name(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


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
