"""An alert as its card shows it: what, why, what was done, and what can be done now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from backend.accounts.models import Patient, User
from backend.aftercare.explanations import explain_reasons
from backend.aftercare.looking_again import is_back, today_of
from backend.aftercare.models import Alert, AlertAct, AlertActKind, Severity
from backend.aftercare.texts import render as text
from backend.dashboard.desk import Desk
from backend.dashboard.services import seen_mark
from backend.dashboard.wording import OUTCOME_WORDS, at_time, days_words, due_words, short_day

OUTCOMES = ("reached", "not_reached", "welfare_check", "no_action_needed")


@dataclass(frozen=True, slots=True)
class ShownAct:
    words: str
    at: str
    note: str


@dataclass(frozen=True, slots=True)
class Outcome:
    value: str
    words: str


@dataclass(frozen=True, slots=True)
class AlertCard:
    """`acknowledge_id`, `act_id` and `resolve_id` make each form count once however often it is
    sent; `seen` says what its reader has read. `problem` is shown where it belongs, in `note` what
    had been written."""

    id: UUID
    patient_id: UUID
    severity: str
    severity_word: str
    condition: str
    days: str
    reasons: list[str]
    status: str
    due: str
    due_at: datetime | None
    is_overdue: bool
    is_open: bool
    is_historical: bool
    is_critical: bool
    outcome: str
    acts: list[ShownAct]
    outcomes: list[Outcome]
    seen: str
    acknowledge_id: UUID
    act_id: UUID
    resolve_id: UUID
    problem: str = ""
    problem_of: str = ""
    note: str = ""
    look_again: str = ""
    is_back: bool = False

    @property
    def is_waiting(self) -> bool:
        return self.status == "open" or self.is_back


def show_alert(
    alert: Alert,
    patient: Patient,
    desk: Desk,
    *,
    problem: str = "",
    problem_of: str = "",
    note: str = "",
) -> AlertCard:
    """The card, in the language and the zone of who reads it."""
    due_at = _due_at(alert)
    today = desk.now.astimezone(ZoneInfo(patient.time_zone)).date()
    return AlertCard(
        id=alert.pk,
        patient_id=patient.pk,
        severity=alert.severity,
        severity_word=text(f"severity.{alert.severity}", language=desk.language),
        condition=text(f"condition.{alert.condition}", language=desk.language),
        days=days_words(alert.first_on, alert.last_on, today=today),
        reasons=explain_reasons(alert.reasons, language=desk.language, today=today),
        status=alert.status,
        due=due_words(due_at, now=desk.now) if due_at else "",
        due_at=due_at,
        is_overdue=due_at is not None and due_at < desk.now,
        is_open=alert.resolved_at is None,
        is_historical=alert.is_historical,
        is_critical=alert.severity == Severity.CRITICAL,
        outcome=str(OUTCOME_WORDS[alert.outcome]) if alert.outcome else "",
        acts=[_show_act(act, alert, desk) for act in alert.acts.all()],
        outcomes=[Outcome(value, str(OUTCOME_WORDS[value])) for value in OUTCOMES],
        seen=seen_mark(alert),
        acknowledge_id=uuid4(),
        act_id=uuid4(),
        resolve_id=uuid4(),
        problem=problem,
        problem_of=problem_of,
        note=note,
        look_again=_look_again(alert, desk),
        is_back=is_back(alert, today=today_of(alert, now=desk.now)),
    )


def _look_again(alert: Alert, desk: Desk) -> str:
    """Whether its day has come, or when it does."""
    if alert.look_again_on is None or alert.resolved_at is not None:
        return ""
    today = today_of(alert, now=desk.now)
    words = (
        _("to be looked at again since %(day)s")
        if is_back(alert, today=today)
        else _("looked at again on %(day)s")
    )
    return words % {"day": short_day(alert.look_again_on, today=today)}


def _due_at(alert: Alert) -> datetime | None:
    """Until when somebody is expected to look; once seen, until when an outcome is."""
    if alert.resolved_at is not None:
        return None
    return alert.due_at if alert.acknowledged_at is None else alert.level_due_at


def _show_act(act: AlertAct, alert: Alert, desk: Desk) -> ShownAct:
    return ShownAct(
        words=_act_words(act, alert),
        at=at_time(act.at, desk.clinician.organisation.time_zone, now=desk.now),
        note=act.note,
    )


def _act_words(act: AlertAct, alert: Alert) -> str:
    name = _name(act.by)
    if act.kind == AlertActKind.ACKNOWLEDGED:
        return _("%(name)s has seen it") % {"name": name}
    if act.kind == AlertActKind.ACTED:
        return _("%(name)s did something about it") % {"name": name}
    if act.kind == AlertActKind.RESOLVED:
        outcome = OUTCOME_WORDS.get(alert.outcome, "")
        return _("%(name)s resolved it: %(outcome)s") % {"name": name, "outcome": outcome}
    if act.kind == AlertActKind.ESCALATED:
        return _("Passed on, because nobody had answered")
    if act.kind == AlertActKind.RENEWED:
        return _("Something new arrived, and it opened again")
    if act.kind == AlertActKind.REVISED:
        return _("The check-in behind it was changed or withdrawn")
    if act.kind == AlertActKind.RECOVERED:
        return _("It has passed by itself")
    return _("Everyone on the list was told, and nobody answered")


def _name(user: User | None) -> str:
    clinician = getattr(user, "clinician", None) if user else None
    return str(clinician.display_name) if clinician else _("Somebody")
