"""Wakes the sealing of the audit log and the look for mass reads."""

from __future__ import annotations

from backend.notifications.selectors import database_now
from backend.privacy import services
from backend.queue import Job
from worker.app import app
from worker.reporting import report


@app.task(name=Job.SEAL_AUDIT.value)
def seal_audit() -> int:
    """Seals what is settled of the audit log; returns how many rows."""
    with report(Job.SEAL_AUDIT) as done:
        done.count = services.seal_audit(now=database_now())
    return done.count


@app.task(name=Job.FIND_MASS_READS.value)
def find_mass_reads() -> int:
    """Flags who opened unusually many patients' records; returns how many."""
    with report(Job.FIND_MASS_READS) as done:
        done.count = services.find_mass_reads(now=database_now())
    return done.count
