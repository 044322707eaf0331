"""One job in a thread of its own, again and again, whatever happens to it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog
from django.db import connections

logger = structlog.get_logger(__name__)

AT_ONCE = timedelta(seconds=0.02)
LONGEST_PAUSE = timedelta(seconds=5)


class Loop:
    """Calls `run` every `every`, and again at once when it says that it found something.

    After an error its connections are closed and it waits, longer each time up to a limit.
    """

    def __init__(
        self, name: str, every: timedelta, run: Callable[[], int], stopping: threading.Event
    ) -> None:
        self._name, self._every, self._run, self._stopping = name, every, run, stopping
        self._failures = 0
        self._last_round = time.monotonic()
        self._thread = threading.Thread(target=self._go, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def last_round_within(self, limit: timedelta) -> bool:
        """Whether a round has ended well, or the loop has been made, within `limit`."""
        return time.monotonic() - self._last_round <= limit.total_seconds()

    @staticmethod
    def join_all(loops: Sequence[Loop], *, within: timedelta) -> None:
        """Waits for their threads. One that does not end in time ends with the process."""
        deadline = time.monotonic() + within.total_seconds()
        for loop in loops:
            loop._thread.join(max(0.0, deadline - time.monotonic()))

    def _go(self) -> None:
        while not self._stopping.is_set():
            self._stopping.wait(self._round().total_seconds())
        connections.close_all()

    def _round(self) -> timedelta:
        """One call; returns the pause after it."""
        try:
            found = self._run()
        except Exception as error:
            self._failures += 1
            logger.warning(
                "round_failed",
                process="relay", job=self._name, count=self._failures, exc_info=error,
            )  # fmt: skip
            connections.close_all()
            return min(self._every * (1 << min(self._failures, 16)), LONGEST_PAUSE)
        self._failures = 0
        self._last_round = time.monotonic()
        return min(AT_ONCE, self._every) if found else self._every
