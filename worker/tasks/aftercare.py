"""Wakes the evaluation of what was recorded, the sweeps over everyone, and the escalation."""

from __future__ import annotations

from backend.aftercare import services
from backend.notifications.selectors import database_now
from backend.queue import Job
from worker.app import app
from worker.reporting import report
from worker.sending import other_senders
from worker.tasks.delivery import LIMIT_S, SOFT_LIMIT_S


@app.task(name=Job.ASSESS_DUE.value)
def assess_due() -> int:
    """Evaluates the patients whose turn it is; returns how many."""
    with report(Job.ASSESS_DUE) as done:
        done.count = services.assess_due(now=database_now())
    return done.count


@app.task(name=Job.ESCALATE_DUE.value)
def escalate_due() -> int:
    """Moves overdue alerts one step on; returns how many."""
    with report(Job.ESCALATE_DUE) as done:
        done.count = services.escalate_due(now=database_now())
    return done.count


@app.task(name=Job.SWEEP_DUE.value)
def sweep_due() -> int:
    """Takes up the ranges of patients that are due; returns how many."""
    with report(Job.SWEEP_DUE) as done:
        done.count = services.sweep_due(now=database_now())
    return done.count


@app.task(name=Job.PROMPT_DUE.value)
def prompt_due() -> int:
    """Sends the prompts whose time has come; returns how many patients were looked at."""
    with report(Job.PROMPT_DUE) as done:
        done.count = services.prompt_due(now=database_now())
    return done.count


@app.task(name=Job.LOOK_AGAIN_DUE.value)
def look_again_due() -> int:
    """Tells of alerts whose day has come to be looked at again; returns how many."""
    with report(Job.LOOK_AGAIN_DUE) as done:
        done.count = services.look_again_due(now=database_now())
    return done.count


@app.task(name=Job.TELL_CONTACTS.value, soft_time_limit=SOFT_LIMIT_S, time_limit=LIMIT_S)
def tell_contacts() -> int:
    """Tells support contacts who agreed; returns how many messages were tried."""
    with report(Job.TELL_CONTACTS) as done:
        done.count = services.tell_contacts(senders=other_senders(), now=database_now)
    return done.count
