"""What care does: alerts, nudges, escalation, and a clinician's acts."""

from __future__ import annotations

from backend.aftercare.services.acts import acknowledge_alert, act_on_alert, resolve_alert
from backend.aftercare.services.answering import dismiss_nudge, rate_nudge, snooze_nudge
from backend.aftercare.services.assessments import assess_due
from backend.aftercare.services.baselines import start_baseline
from backend.aftercare.services.escalation import escalate_due
from backend.aftercare.services.history import assess_history
from backend.aftercare.services.holidays import add_holiday, remove_holiday, set_holidays
from backend.aftercare.services.inviting import (
    Wanted,
    answer_link,
    call_contact,
    invite_contact,
    withdraw_invitation,
)
from backend.aftercare.services.ladders import LadderDraft, ladder_problems, set_ladder
from backend.aftercare.services.looking_again import look_again_due
from backend.aftercare.services.monitoring import leave_monitoring, resume_monitoring
from backend.aftercare.services.own_items import amend_item, remove_item, store_item
from backend.aftercare.services.prompt_settings import set_prompt_settings
from backend.aftercare.services.prompt_sweeping import prompt_due
from backend.aftercare.services.replay import replay_caseload, replay_patient
from backend.aftercare.services.responses import (
    Response,
    acute_facts,
    local_date,
    matches_for,
    may_be_acute,
    respond_to_amendment,
    respond_to_check_ins,
    respond_to_refused,
)
from backend.aftercare.services.rotas import add_shift, cancel_shift
from backend.aftercare.services.sweeping import sweep_due
from backend.aftercare.services.telling_contacts import tell_contacts

__all__ = [
    "LadderDraft",
    "Response",
    "Wanted",
    "acknowledge_alert",
    "act_on_alert",
    "acute_facts",
    "add_holiday",
    "add_shift",
    "amend_item",
    "answer_link",
    "assess_due",
    "assess_history",
    "call_contact",
    "cancel_shift",
    "dismiss_nudge",
    "escalate_due",
    "invite_contact",
    "ladder_problems",
    "leave_monitoring",
    "local_date",
    "look_again_due",
    "matches_for",
    "may_be_acute",
    "prompt_due",
    "rate_nudge",
    "remove_holiday",
    "remove_item",
    "replay_caseload",
    "replay_patient",
    "resolve_alert",
    "respond_to_amendment",
    "respond_to_check_ins",
    "respond_to_refused",
    "resume_monitoring",
    "set_holidays",
    "set_ladder",
    "set_prompt_settings",
    "snooze_nudge",
    "start_baseline",
    "store_item",
    "sweep_due",
    "tell_contacts",
    "withdraw_invitation",
]
