"""Deciding whether a patient is nudged: a row for each decision, also when nothing is said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from backend.accounts import selectors as accounts
from backend.accounts.models import Patient
from backend.aftercare.back_off import Answer, dismissed_in_a_row, paused_until
from backend.aftercare.coping import Ranked
from backend.aftercare.models import DecisionKind, Nudge
from backend.aftercare.own_plan import own_plan
from backend.aftercare.policy import NUDGE_BUDGET, NUDGE_LIFE
from backend.aftercare.selectors import answers_to_nudges, recent_cues
from backend.aftercare.services.decisions import record_decision
from backend.notifications.budgets import Spent, is_spent, spent
from backend.notifications.models import NotificationKind, Priority
from backend.notifications.quiet_hours import QuietHours
from backend.notifications.services import NotificationDraft, queue_notifications

# The same kind again within this time says nothing new.
SAME_KIND_INTERVAL = timedelta(days=7)
OPTIONS = ("own_step", "general")


def nudge(
    *,
    patient: Patient,
    kind: str,
    reasons: Sequence[dict[str, Any]],
    now: datetime,
    cues: Iterable[str] | None = None,
) -> Nudge | None:
    """Decides once per patient, local date and kind; None when that was decided before.

    `cues` are those reported with what sets it off; without them, those of the last days. Runs in
    the caller's transaction, under the patient's lock.
    """
    today = now.astimezone(ZoneInfo(patient.time_zone)).date()
    if Nudge.objects.filter(patient=patient, local_date=today, kind=kind).exists():
        return None
    facts = _facts(patient, kind, today, now=now)
    why_not = facts.why_not(now=now)
    reported = recent_cues(patient.pk, on=today) if cues is None else list(cues)
    best = None if why_not else _best_step(patient, reported, now=now)
    row = Nudge.objects.create(
        patient=patient,
        local_date=today,
        kind=kind,
        reasons=list(reasons),
        decided_at=now,
        was_sent=not why_not,
        why_not=why_not,
        step_id=best.step.id if best else None,
    )
    record_decision(
        patient=patient,
        kind=DecisionKind.NUDGE,
        source=kind,
        known={**facts.known(), "nudge_id": str(row.pk), "cues": len(reported)},
        options=OPTIONS,
        **_choice(why_not, best),
        now=now,
    )
    if row.was_sent:
        queue_notifications(drafts=[draft_for(row, patient, now=now)], now=now)
    return row


@dataclass(frozen=True, slots=True)
class _Facts:
    has_account: bool
    has_device: bool
    is_monitored: bool
    same_kind_lately: bool
    spent: Spent
    answers: Sequence[Answer]
    quiet_until: datetime | None

    def why_not(self, *, now: datetime) -> str:
        """Empty when the nudge may go."""
        paused = paused_until(self.answers)
        if not self.has_account:
            return "no_account"
        if not self.is_monitored:
            return "no_consent"
        if self.same_kind_lately:
            return "said_already"
        if is_spent(NUDGE_BUDGET, self.spent):
            return "budget"
        if paused is not None and now < paused:
            return "back_off"
        if self.quiet_until is not None and self.quiet_until >= now + NUDGE_LIFE:
            return "quiet_hours"
        return "" if self.has_device else "no_device"

    def known(self) -> dict[str, Any]:
        return {
            "nudges_today": self.spent.today,
            "nudges_in_7_days": self.spent.week,
            "dismissed_in_a_row": dismissed_in_a_row(self.answers),
            "waits_for_morning": self.quiet_until is not None,
            "has_device": self.has_device,
        }


def _facts(patient: Patient, kind: str, today: date, *, now: datetime) -> _Facts:
    sent = list(
        Nudge.objects.filter(
            patient=patient, was_sent=True, decided_at__gt=now - SAME_KIND_INTERVAL - timedelta(2)
        ).values_list("kind", "local_date", "decided_at")
    )
    user_ids = [patient.user_id] if patient.user_id else []
    return _Facts(
        has_account=patient.user_id is not None,
        has_device=bool(accounts.users_with_live_device(user_ids)),
        is_monitored=patient.is_monitored,
        same_kind_lately=any(
            said == kind and at > now - SAME_KIND_INTERVAL for said, _on, at in sent
        ),
        spent=spent((on for _kind, on, _at in sent), today=today),
        answers=answers_to_nudges(patient.pk),
        quiet_until=QuietHours.of(patient.quiet_hours).end_after(now, ZoneInfo(patient.time_zone)),
    )


def _best_step(patient: Patient, cues: Sequence[str], *, now: datetime) -> Ranked | None:
    """The first of their own steps, unless all of them are for something else."""
    ranked = own_plan(patient.pk, now=now).ranked(cues)
    fitting = (one for one in ranked if one.serves_cue or not one.step.cues or not cues)
    return next(fitting, None)


def _choice(why_not: str, best: Ranked | None) -> dict[str, str]:
    if why_not:
        return {"why_not": why_not}
    if best is None:
        return {"chosen": "general", "reason": "no_own_step"}
    if best.serves_cue:
        return {"chosen": "own_step", "reason": "serves_cue"}
    return {"chosen": "own_step", "reason": "helped_before" if best.times_helped else "own_order"}


def draft_for(
    row: Nudge, patient: Patient, *, now: datetime, again: datetime | None = None
) -> NotificationDraft:
    """The message of a nudge that was decided to go; `again` where it comes back after a snooze."""
    assert patient.user_id is not None
    key = f"nudge:{patient.pk}:{row.local_date.isoformat()}:{row.kind}"
    return NotificationDraft(
        key=f"{key}:{again.isoformat()}" if again else key,
        kind=NotificationKind.NUDGE,
        subject=f"nudge:{row.pk}",
        recipient_id=patient.user_id,
        patient_id=patient.pk,
        priority=Priority.NORMAL,
        obeys_quiet_hours=True,
        text_id=f"nudge.{row.kind}",
        text_facts={},
        due_at=now,
        expires_at=now + NUDGE_LIFE,
    )
