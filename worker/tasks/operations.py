"""Wakes the reconciler, and notes that beat's wake-ups arrive."""

from __future__ import annotations

from backend.notifications import services as notifications
from backend.notifications.selectors import database_now
from backend.operations import services
from backend.queue import Job
from worker.app import app
from worker.channels.switch import ping_switch
from worker.reporting import report


@app.task(name=Job.RECONCILE.value)
def reconcile() -> int:
    """Looks whether what must always hold does; returns how many rows it does not hold for."""
    with report(Job.RECONCILE) as done:
        done.count = services.reconcile(now=database_now(), ping=ping_switch).found
    return 0


@app.task(name=Job.NOTE_BEAT.value)
def note_beat() -> int:
    """Sent by beat alone: that it runs means that beat, the broker and a worker live."""
    notifications.beat(process="beat", now=database_now())
    return 0
