"""Log files that stay small and can be quoted."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

LIMIT_BYTES = 10_000_000


def tail(log: Path, *, start: int = 0, lines: int = 60) -> str:
    """The last lines of a log, counting only what was written after byte ``start``."""
    if not log.exists():
        return ""
    with log.open("rb") as opened:
        opened.seek(start)
        return "\n".join(opened.read().decode(errors="replace").splitlines()[-lines:])


def bound(log: Path, *, limit: int = LIMIT_BYTES) -> None:
    """Keep a log under its limit and one generation of it as ``NAME.1``.

    Its writers append and keep it open, so it is copied and emptied, not renamed; a line written
    in between is lost. A pipe would lose none, but block every writer if we stood still.
    """
    if not log.exists() or log.stat().st_size <= limit:
        return
    shutil.copyfile(log, log.with_name(f"{log.name}.1"))
    os.truncate(log, 0)
