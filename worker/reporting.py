"""One log line for each run of a job: which, how many, how long."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from backend.queue import Job
from backend.row_security import acting_as_system
from backend.tracing import span

logger = structlog.get_logger(__name__)


@dataclass(slots=True)
class Done:
    """What the job counts: rows it took up."""

    count: int = 0


@contextmanager
def report(job: Job) -> Iterator[Done]:
    """The system acts while the job runs; the run is logged when it ends.

    One that found nothing is logged at debug level alone, a failing one by whoever runs the job,
    with the error.
    """
    done = Done()
    began = time.monotonic()
    with acting_as_system(job.value), span(job.value) as current:
        yield done
        if current is not None:
            current.set_attribute("handrail.count", done.count)
    duration_ms = round((time.monotonic() - began) * 1000)
    level = logging.INFO if done.count else logging.DEBUG
    logger.log(level, "job_done", job=job.value, count=done.count, duration_ms=duration_ms)
