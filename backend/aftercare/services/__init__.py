"""What care does: alerts, nudges, escalation, and a clinician's acts."""

from __future__ import annotations

from backend.aftercare.services.acts import acknowledge_alert, act_on_alert, resolve_alert
from backend.aftercare.services.assessments import assess_due
from backend.aftercare.services.baselines import start_baseline
from backend.aftercare.services.escalation import escalate_due
from backend.aftercare.services.history import assess_history
from backend.aftercare.services.replay import replay_caseload, replay_patient
from backend.aftercare.services.responses import (
    Response,
    acute_facts,
    local_date,
    matches_for,
    respond_to_amendment,
    respond_to_check_ins,
    respond_to_refused,
)
from backend.aftercare.services.sweeping import sweep_due

__all__ = [
    "Response",
    "acknowledge_alert",
    "act_on_alert",
    "acute_facts",
    "assess_due",
    "assess_history",
    "escalate_due",
    "local_date",
    "matches_for",
    "replay_caseload",
    "replay_patient",
    "resolve_alert",
    "respond_to_amendment",
    "respond_to_check_ins",
    "respond_to_refused",
    "start_baseline",
    "sweep_due",
]
