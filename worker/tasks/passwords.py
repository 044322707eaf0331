"""Wakes the mailing of codes for new passwords."""

from __future__ import annotations

from backend.notifications import services
from backend.notifications.selectors import database_now
from backend.queue import Job
from worker.app import app
from worker.reporting import report


@app.task(name=Job.SEND_PASSWORD_MAILS.value)
def send_password_mails() -> int:
    """Mails what is due; returns how many were tried."""
    with report(Job.SEND_PASSWORD_MAILS) as done:
        done.count = services.send_password_mails(now=database_now)
    return done.count
