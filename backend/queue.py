"""The only door from the web process to the worker: job names and wake-ups.

A wake-up is a hint and never the truth: the work stands in PostgreSQL, and the relay finds it
without any broker. So a wake-up carries no data, is gathered (at most one of a kind in 50 ms per
process, in a quarter of a second where nothing acute waits), is published by a thread of its own
with short time-outs, and is dropped when the broker does not answer. A request never waits for the
broker.
"""

from __future__ import annotations

import os
import threading
import time
from enum import StrEnum
from functools import cache

import structlog
from celery import Celery
from django.conf import settings
from django.db import transaction

logger = structlog.get_logger(__name__)

GATHER_S = 0.05
# An evaluation is no emergency, and a message costs as much as a good part of a check-in.
GATHER_LONGER_S = 0.25
BREAKER_OPEN_S = 5.0
SOCKET_TIMEOUT_S = 0.5


class Job(StrEnum):
    """Names of the registered tasks. A contract test holds them against the worker."""

    DELIVER_DUE = "handrail.deliver_due"
    ASSESS_DUE = "handrail.assess_due"
    ESCALATE_DUE = "handrail.escalate_due"
    REPEAT_UNCONFIRMED = "handrail.repeat_unconfirmed"
    SWEEP_DUE = "handrail.sweep_due"
    PROMPT_DUE = "handrail.prompt_due"
    LOOK_AGAIN_DUE = "handrail.look_again_due"
    SEND_PASSWORD_MAILS = "handrail.send_password_mails"  # noqa: S105 - a job's name
    SEAL_AUDIT = "handrail.seal_audit"
    FIND_MASS_READS = "handrail.find_mass_reads"
    SEND_CONTACT_CODES = "handrail.send_contact_codes"
    TELL_CONTACTS = "handrail.tell_contacts"
    ANNOUNCE_CHANNELS = "handrail.announce_channels"
    WRITE_JOURNAL = "handrail.write_journal"
    ERASE_DUE = "handrail.erase_due"
    MAKE_EXPORTS = "handrail.make_exports"
    RECONCILE = "handrail.reconcile"
    NOTE_BEAT = "handrail.note_beat"


QUEUES = {
    Job.DELIVER_DUE: "acute",
    Job.ASSESS_DUE: "default",
    Job.ESCALATE_DUE: "acute",
    Job.REPEAT_UNCONFIRMED: "default",
    Job.SWEEP_DUE: "default",
    Job.PROMPT_DUE: "default",
    Job.LOOK_AGAIN_DUE: "default",
    Job.SEND_PASSWORD_MAILS: "default",
    Job.SEAL_AUDIT: "default",
    Job.FIND_MASS_READS: "default",
    Job.SEND_CONTACT_CODES: "default",
    Job.TELL_CONTACTS: "default",
    Job.ANNOUNCE_CHANNELS: "default",
    Job.WRITE_JOURNAL: "default",
    Job.ERASE_DUE: "default",
    Job.MAKE_EXPORTS: "default",
    Job.RECONCILE: "default",
    Job.NOTE_BEAT: "default",
}


def broker_options() -> dict[str, float | bool | int]:
    """Redis transport options under which a frozen broker costs half a second at the most."""
    return {
        "socket_timeout": SOCKET_TIMEOUT_S,
        "socket_connect_timeout": SOCKET_TIMEOUT_S,
        "max_retries": 0,
        "retry_on_timeout": False,
    }


@cache
def producer() -> Celery:
    """A Celery client that can publish and nothing else."""
    app = Celery("handrail-producer", broker=settings.BROKER_URL, set_as_current=False)
    app.conf.update(
        task_serializer="json",
        task_ignore_result=True,
        task_publish_retry=False,
        broker_transport_options=broker_options(),
        broker_connection_timeout=SOCKET_TIMEOUT_S,
        broker_connection_retry=False,
    )
    return app


class Waker:
    """Gathers wake-ups and publishes them from one daemon thread, started on first use."""

    def __init__(self) -> None:
        self._pending: dict[Job, float] = {}
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None
        self._pid = 0
        self._closed_until = 0.0

    def wake(self, job: Job) -> None:
        """Returns at once; the publishing happens soon, on the waker's thread."""
        with self._condition:
            self._pending.setdefault(job, time.monotonic())
            # A forked child has the parent's object but not its thread.
            if self._thread is None or self._pid != os.getpid():
                self._pid = os.getpid()
                self._thread = threading.Thread(target=self._run, name="waker", daemon=True)
                self._thread.start()
            self._condition.notify()

    def _run(self) -> None:
        while True:
            with self._condition:
                while not self._pending:
                    self._condition.wait()
            time.sleep(GATHER_S)
            self._publish(self._ready())

    def _ready(self) -> list[Job]:
        """Those that have been gathered for long enough."""
        before = time.monotonic() - GATHER_LONGER_S
        with self._condition:
            ready = sorted(
                job
                for job, since in self._pending.items()
                if QUEUES[job] == "acute" or since <= before
            )
            for job in ready:
                del self._pending[job]
        return ready

    def _publish(self, jobs: list[Job]) -> None:
        if not jobs or time.monotonic() < self._closed_until:
            return
        try:
            for job in jobs:
                producer().send_task(job.value, queue=QUEUES[job], retry=False, expires=30)
        except Exception as error:
            # Whatever the broker does, the relay finds the work; the breaker keeps this cheap.
            self._closed_until = time.monotonic() + BREAKER_OPEN_S
            logger.warning("wake_up_dropped", breaker="open", error=type(error).__name__)


_waker = Waker()


def enqueue_on_commit(job: Job) -> None:
    """Wakes the workers once the transaction around this has committed; never if it rolls back."""
    if settings.BROKER_URL:
        transaction.on_commit(lambda: _waker.wake(job))
