"""Wake-ups are gathered: what is acute goes at once, the rest follows and is not forgotten."""

from __future__ import annotations

import threading

from backend.queue import Job, Waker


class Noted(Waker):
    """Notes what would be published, each time."""

    def __init__(self, *, until: int) -> None:
        super().__init__()
        self.rounds: list[list[Job]] = []
        self.done = threading.Event()
        self._until = until

    def _publish(self, jobs: list[Job]) -> None:
        if jobs:
            self.rounds.append(jobs)
        if sum(map(len, self.rounds)) >= self._until:
            self.done.set()


def test_what_is_acute_does_not_wait_for_the_rest():
    waker = Noted(until=2)
    for _ in range(5):
        waker.wake(Job.ASSESS_DUE)
        waker.wake(Job.DELIVER_DUE)
    assert waker.done.wait(20)
    assert waker.rounds == [[Job.DELIVER_DUE], [Job.ASSESS_DUE]]
