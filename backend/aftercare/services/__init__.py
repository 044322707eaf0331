"""What care does: alerts, nudges, escalation, and a clinician's acts."""

from __future__ import annotations

from backend.aftercare.services.acts import acknowledge_alert, act_on_alert, resolve_alert
from backend.aftercare.services.assessments import assess_due
from backend.aftercare.services.escalation import escalate_due
from backend.aftercare.services.history import assess_history
from backend.aftercare.services.responses import (
    acute_facts,
    local_date,
    matches_for,
    respond_to_amendment,
    respond_to_check_in,
    respond_to_refused,
)

__all__ = [
    "acknowledge_alert",
    "act_on_alert",
    "acute_facts",
    "assess_due",
    "assess_history",
    "escalate_due",
    "local_date",
    "matches_for",
    "resolve_alert",
    "respond_to_amendment",
    "respond_to_check_in",
    "respond_to_refused",
]
