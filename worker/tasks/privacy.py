"""Wakes the sealing of the audit log, its journal, the look for mass reads, exports, erasures."""

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


@app.task(name=Job.WRITE_JOURNAL.value)
def write_journal() -> int:
    """Writes down, outside of the database, what a restore must not forget; returns how much."""
    with report(Job.WRITE_JOURNAL) as done:
        done.count = services.write_journal()
    return done.count


@app.task(name=Job.ERASE_DUE.value)
def erase_due() -> int:
    """Erases who has asked for it and waited; returns how many."""
    with report(Job.ERASE_DUE) as done:
        done.count = services.erase_due(now=database_now())
    return done.count


@app.task(name=Job.MAKE_EXPORTS.value)
def make_exports() -> int:
    """Makes the exports that were asked for, and deletes those whose day is over; how many."""
    with report(Job.MAKE_EXPORTS) as done:
        done.count = services.make_exports(now=database_now())
    return done.count
