"""The one table of sweeps. Beat repeats them through the broker, the relay without any.

Every sweep is idempotent and safe in any number of copies, so that both may run at once. Periods
are seconds of UTC and nothing here is local time: local dates are keys of rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from backend.queue import QUEUES, Job
from worker.app import app
from worker.tasks.aftercare import (
    assess_due,
    escalate_due,
    look_again_due,
    prompt_due,
    sweep_due,
    tell_contacts,
)
from worker.tasks.delivery import (
    announce_channels,
    deliver_due,
    repeat_unconfirmed,
    send_contact_codes,
)
from worker.tasks.operations import reconcile
from worker.tasks.passwords import send_password_mails
from worker.tasks.privacy import (
    erase_due,
    find_mass_reads,
    make_exports,
    seal_audit,
    write_journal,
)

BEAT_EVERY = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Sweep:
    """What to run and how often; `run` returns how many rows it took up."""

    job: Job
    every: timedelta
    run: Callable[[], int]


SWEEPS = (
    Sweep(Job.DELIVER_DUE, timedelta(seconds=2), deliver_due),
    Sweep(Job.ESCALATE_DUE, timedelta(seconds=2), escalate_due),
    Sweep(Job.ASSESS_DUE, timedelta(seconds=2), assess_due),
    Sweep(Job.REPEAT_UNCONFIRMED, timedelta(seconds=5), repeat_unconfirmed),
    Sweep(Job.SWEEP_DUE, timedelta(seconds=60), sweep_due),
    Sweep(Job.PROMPT_DUE, timedelta(seconds=20), prompt_due),
    Sweep(Job.LOOK_AGAIN_DUE, timedelta(seconds=60), look_again_due),
    Sweep(Job.SEND_PASSWORD_MAILS, timedelta(seconds=5), send_password_mails),
    Sweep(Job.SEND_CONTACT_CODES, timedelta(seconds=5), send_contact_codes),
    Sweep(Job.TELL_CONTACTS, timedelta(seconds=5), tell_contacts),
    Sweep(Job.ANNOUNCE_CHANNELS, timedelta(seconds=30), announce_channels),
    Sweep(Job.SEAL_AUDIT, timedelta(seconds=30), seal_audit),
    Sweep(Job.FIND_MASS_READS, timedelta(seconds=60), find_mass_reads),
    Sweep(Job.WRITE_JOURNAL, timedelta(seconds=1), write_journal),
    Sweep(Job.ERASE_DUE, timedelta(seconds=60), erase_due),
    Sweep(Job.MAKE_EXPORTS, timedelta(seconds=5), make_exports),
    Sweep(Job.RECONCILE, timedelta(seconds=20), reconcile),
)

app.conf.beat_schedule = {
    sweep.job.value: {
        "task": sweep.job.value,
        "schedule": sweep.every.total_seconds(),
        # A wake-up that has waited this long is of no use: later ones are behind it.
        "options": {"queue": QUEUES[sweep.job], "expires": 10 * sweep.every.total_seconds()},
    }
    for sweep in SWEEPS
}
# The relay has no part in this one: it shows that beat's wake-ups arrive.
app.conf.beat_schedule[Job.NOTE_BEAT.value] = {
    "task": Job.NOTE_BEAT.value,
    "schedule": BEAT_EVERY.total_seconds(),
    "options": {"queue": QUEUES[Job.NOTE_BEAT], "expires": BEAT_EVERY.total_seconds()},
}
