"""Wakes the delivery of messages."""

from __future__ import annotations

from backend.notifications import services
from backend.notifications.selectors import database_now
from backend.queue import Job
from worker.app import app
from worker.reporting import report
from worker.sending import channel_names, other_senders, push_sender, web_push_key

SOFT_LIMIT_S, LIMIT_S = 15, 18
"""Below the lease, so that nobody still sends what another has taken over."""


@app.task(name=Job.DELIVER_DUE.value, soft_time_limit=SOFT_LIMIT_S, time_limit=LIMIT_S)
def deliver_due() -> int:
    """One batch of what is due; says that this worker is alive."""
    with report(Job.DELIVER_DUE) as done:
        services.beat(process="worker", now=database_now())
        done.count = services.deliver_due(
            sender=push_sender(), others=other_senders(), now=database_now
        ).claimed
    return done.count


@app.task(name=Job.REPEAT_UNCONFIRMED.value, soft_time_limit=SOFT_LIMIT_S, time_limit=LIMIT_S)
def repeat_unconfirmed() -> int:
    """One batch of what was accepted and never confirmed; returns how many."""
    with report(Job.REPEAT_UNCONFIRMED) as done:
        done.count = services.repeat_unconfirmed(
            sender=push_sender(), others=other_senders(), now=database_now
        ).claimed
    return done.count


@app.task(name=Job.SEND_CONTACT_CODES.value, soft_time_limit=SOFT_LIMIT_S, time_limit=LIMIT_S)
def send_contact_codes() -> int:
    """Sends what is due of the codes that verify addresses; returns how many."""
    with report(Job.SEND_CONTACT_CODES) as done:
        done.count = services.send_contact_codes(senders=other_senders(), now=database_now())
    return done.count


@app.task(name=Job.ANNOUNCE_CHANNELS.value)
def announce_channels() -> int:
    """Says which channels this process can send through."""
    services.announce_channels(
        channels=channel_names(), web_push_key=web_push_key(), now=database_now()
    )
    return 0
