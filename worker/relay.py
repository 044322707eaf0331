"""`python -m worker.relay`: delivers and sweeps without any broker, by looking.

Acute messages have a thread of their own, every sweep of the schedule has another, so that none
waits for the others. Each has its own connection. Whatever fails is tried again.
"""

from __future__ import annotations

import worker.environment  # noqa: F401 - picks the role and loads Django, so it comes first

# isort: split
import signal
import threading
from collections.abc import Callable
from datetime import timedelta

import structlog

from backend.notifications.selectors import database_now
from backend.notifications.services import Lane, beat, deliver_due
from backend.queue import Job
from backend.start import exit_when_unsafe
from worker.loop import Loop
from worker.reporting import report
from worker.schedule import SWEEPS
from worker.sending import other_senders, push_sender, require_sender

logger = structlog.get_logger(__name__)

ACUTE_EVERY = timedelta(seconds=0.25)
BEAT_EVERY = timedelta(seconds=3)
STALLED_AFTER = timedelta(seconds=12)
"""A round of the acute lane takes no longer; without one there is no heartbeat."""

STOP_WITHIN = timedelta(seconds=10)
STOP_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT})


class Relay:
    """The loops, and the heartbeat that says that the acute lane is going round."""

    def __init__(self, *, sweeps: dict[str, tuple[timedelta, Callable[[], int]]]) -> None:
        self.stopping = threading.Event()
        self._acute = Loop("acute", ACUTE_EVERY, _deliver_acute, self.stopping)
        self._sweeps = [
            Loop(name, every, run, self.stopping) for name, (every, run) in sweeps.items()
        ]
        self._heart = Loop("heartbeat", BEAT_EVERY, self._beat, self.stopping)

    def run(self, *, until: Callable[[], object]) -> None:
        """Goes on until `until` returns; then each loop ends with what it is doing now."""
        loops = [self._acute, *self._sweeps, self._heart]
        logger.info("relay_started", process="relay", count=len(loops))
        for loop in loops:
            loop.start()
        until()
        self.stopping.set()
        Loop.join_all(loops, within=STOP_WITHIN)
        logger.info("relay_stopped", process="relay")

    def _beat(self) -> int:
        if self._acute.last_round_within(STALLED_AFTER):
            beat(process="relay", now=database_now())
        return 0


def _deliver_acute() -> int:
    with report(Job.DELIVER_DUE) as done:
        done.count = deliver_due(
            sender=push_sender(), others=other_senders(), now=database_now, lane=Lane.ACUTE
        ).claimed
    return done.count


def main() -> None:
    """Exits at once, saying why, when it could send nothing."""
    exit_when_unsafe(serves_http=False)
    require_sender()
    # Blocked in every thread and waited for here: no handler runs in the middle of anything.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    relay = Relay(sweeps={sweep.job.value: (sweep.every, sweep.run) for sweep in SWEEPS})
    relay.run(until=lambda: signal.sigwait(STOP_SIGNALS))


if __name__ == "__main__":
    main()
