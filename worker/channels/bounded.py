"""Many blocking calls at once, with an end to the waiting."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")

TIMED_OUT = "TimedOut"
TOO_MANY = "TooManyInFlight"


class BoundedCalls:
    """Runs calls in daemon threads, up to one each, and stops waiting when the time is up.

    A socket time-out counts from one byte to the next, so a peer that drips can hold a thread for
    ever. Such a thread is left behind; at most `limit` threads exist at any time.
    """

    def __init__(self, *, limit: int) -> None:
        self._slots = threading.BoundedSemaphore(limit)

    def run(
        self, calls: Sequence[Callable[[], T]], *, seconds: float, missing: Callable[[str], T]
    ) -> list[T]:
        """The answers in order, after `seconds` at the latest.

        `missing(reason)` stands in for a call without an answer: one that took too long, found
        no free thread, or raised. None begins after the return.
        """
        answers = [missing(TIMED_OUT) for _ in calls]
        pending = deque(range(len(calls)))

        def work() -> None:
            try:
                while pending:
                    index = pending.popleft()
                    answers[index] = _answer(calls[index], missing)
            except IndexError:
                return  # another thread took the last one
            finally:
                self._slots.release()

        deadline = time.monotonic() + seconds
        threads: list[threading.Thread] = []
        while pending and len(threads) < len(calls) and self._start(work, threads):
            pass  # quick calls are done by the first threads before a hundred are started
        if not threads:
            return [missing(TOO_MANY) for _ in calls]
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        pending.clear()
        return list(answers)  # a copy: a thread left behind still writes to the original

    def _start(self, work: Callable[[], None], threads: list[threading.Thread]) -> bool:
        if not self._slots.acquire(blocking=False):
            return False
        thread = threading.Thread(target=work, name="bounded-call", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the machine has no thread left
            self._slots.release()
            return False
        threads.append(thread)
        return True


def _answer(call: Callable[[], T], missing: Callable[[str], T]) -> T:
    try:
        return call()
    except Exception as error:  # a thread has nobody to raise to
        return missing(type(error).__name__)
