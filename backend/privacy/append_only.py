"""A file outside of the database that only grows: locked, flushed to the disk, for its owner alone.

A line that a crash has torn stays; the next whole one begins on a line of its own.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

TAIL = 65_536
"""Longer than any line."""


class AppendOnlyFile:
    """The file while nobody else writes to it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def last_lines(self) -> list[str]:
        """Those within the last `TAIL` bytes, in order; the first may lack its beginning."""
        end = self._file.seek(0, os.SEEK_END)
        self._file.seek(max(0, end - TAIL))
        return self._file.read().decode("utf-8", "replace").splitlines()

    def append(self, lines: Iterable[str]) -> int:
        """Writes them, none longer than `TAIL`, and waits for the disk; returns how many."""
        self._end_torn_line()
        count = 0
        for line in lines:
            self._file.write(f"{line}\n".encode())
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
def opened(path: Path) -> Iterator[AppendOnlyFile]:
    """Makes the file, for its owner alone, where there is none. Raises OSError."""
    is_new = not path.exists()
    number = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(number, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if is_new:
            keep_name(path.parent)
        yield AppendOnlyFile(file)


def keep_name(folder: Path) -> None:
    """Waits until the names in this folder are on the disk, too."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
