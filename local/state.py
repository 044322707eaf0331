"""Small private files: generated secrets, locks, and files that appear in one step."""

from __future__ import annotations

import fcntl
import os
import secrets
import tempfile
import time
from datetime import timedelta
from pathlib import Path

_BETWEEN_TRIES_S = 0.05


class LockedError(Exception):
    """Another living process holds the lock."""


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step; only its owner may read it."""
    descriptor, unfinished = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "w") as opened:  # mkstemp made it 0600
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    Path(unfinished).replace(path)


def secret(path: Path) -> str:
    """The secret in a file (0600), generated on first use. Safe inside URLs."""
    if not path.exists():
        write_private(path, secrets.token_urlsafe(32))
    return path.read_text().strip()


class Lock:
    """An exclusive lock on a file, held until closed by us *and* by all who inherited it.

    A server started with ``descriptor`` in its ``keep_open`` keeps the lock after its supervisor
    was killed, so nobody starts a second server on the same data while the first one is ending.
    """

    def __init__(self, path: Path, *, patience: timedelta = timedelta()) -> None:
        """Take the lock; raise LockedError when it is still held after ``patience``."""
        self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._take(time.monotonic() + patience.total_seconds())
        except BlockingIOError:
            os.close(self.descriptor)
            raise LockedError(str(path)) from None

    def _take(self, deadline: float) -> None:
        while True:
            try:
                fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(_BETWEEN_TRIES_S)
            else:
                return

    def close(self) -> None:
        """Let go of our share of the lock."""
        os.close(self.descriptor)
