"""Prompts and reminders, by each patient's own schedule: one row for a date, sent or not.

A sweep looks at the schedules whose time has come. It decides under the patient's lock, so any
number of copies may run at once, and what a check-in has answered meanwhile is dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from django.db import connection, transaction

from backend.accounts import selectors as accounts
from backend.accounts.models import Patient
from backend.aftercare.back_off import days_between_prompts, is_prompted, paused_until
from backend.aftercare.models import DecisionKind, Prompt, PromptKind, PromptSchedule
from backend.aftercare.policy import EVENING
from backend.aftercare.schedules import Every, Occurrence, Schedule, due, is_stale, next_due
from backend.aftercare.selectors import answers_to_prompts, last_daily_on, last_prompts
from backend.aftercare.services.decisions import record_decision
from backend.notifications.models import NotificationKind, Priority
from backend.notifications.quiet_hours import QuietHours
from backend.notifications.services import NotificationDraft, queue_notifications

logger = structlog.get_logger(__name__)

# Later than this after its time a prompt is of no use.
PROMPT_LIFE = timedelta(hours=2)
# However far the next prompt is, a change of zone is noticed within this.
LOOK_AGAIN = timedelta(hours=6)
TRY_AGAIN = timedelta(minutes=5)
BATCH = 200
TEXT_IDS: Mapping[str, str] = {
    PromptKind.CHECK_IN: "message.check_in_prompt",
    PromptKind.OWN_PLAN: "message.own_plan",
}


_GIVE = """
INSERT INTO aftercare_promptschedule
    (patient_id, kind, is_on, every, at, weekdays, interval_weeks, starts_on, next_look_at)
SELECT p.id, 'check_in', true, 'day', %(at)s::time, '{}', 1,
    there.now::date + CASE WHEN there.now::time >= %(at)s::time THEN 1 ELSE 0 END, %(now)s
FROM accounts_patient AS p,
    LATERAL (SELECT %(now)s::timestamptz AT TIME ZONE p.time_zone AS now) AS there
WHERE p.user_id IS NOT NULL AND p.enrolled_at IS NOT NULL AND p.discharged_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM aftercare_promptschedule AS s
        WHERE s.patient_id = p.id AND s.kind = 'check_in')
LIMIT %(most)s ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is known of the patient at this moment; of each kind, the date of the last one sent."""

    has_device: bool
    answered_on: date | None
    silent_days: int
    quiet: bool
    paused: bool
    sent_on: Mapping[str, date]


def prompt_patients(*, now: datetime) -> int:
    """Decides for up to `BATCH` patients whose schedule has come; returns how many.

    One that fails is logged and gets its turn again a little later, behind the others.
    """
    _give_schedules(now)
    rows = PromptSchedule.objects.filter(is_on=True, next_look_at__lte=now)
    ids = rows.order_by("next_look_at").values_list("patient_id", flat=True)[:BATCH]
    looked_at = 0
    for patient_id in dict.fromkeys(ids):
        try:
            looked_at += _look_at(patient_id, now=now)
        except Exception as error:
            logger.error("prompt_failed", patient_id=str(patient_id), exc_info=error)
            rows = PromptSchedule.objects.filter(patient_id=patient_id, next_look_at__lte=now)
            rows.update(next_look_at=now + TRY_AGAIN)
    return looked_at


def _give_schedules(now: datetime) -> None:
    """An evening prompt for whoever has an account and no schedule yet, from the next one on."""
    with connection.cursor() as cursor:
        cursor.execute(_GIVE, {"at": EVENING.isoformat(), "now": now, "most": BATCH})


@transaction.atomic
def _look_at(patient_id: UUID, *, now: datetime) -> int:
    """Returns 0 where somebody else holds this patient: then they look, or we do next time."""
    patient = (
        Patient.objects.select_related("organisation", "user")
        .select_for_update(of=("self",), no_key=True, skip_locked=True)
        .filter(pk=patient_id)
        .first()
    )
    if patient is None:
        return 0
    zone = ZoneInfo(patient.time_zone)
    rows = PromptSchedule.objects.filter(patient=patient, is_on=True, next_look_at__lte=now)
    known = last_prompts(patient.pk)
    found: list[tuple[PromptSchedule, Occurrence]] = []
    for row in sorted(rows, key=lambda row: list(PromptKind).index(PromptKind(row.kind))):
        after = known.last_on.get(row.kind)
        occurrences = due(plan_of(row), zone, now=now, after=after)
        found += [(row, occurrence) for occurrence in occurrences]
        last = occurrences[-1].on if occurrences else after
        row.next_look_at = next_look(row, zone, now=now, after=last)
        row.save(update_fields=["next_look_at"])
    if found:
        facts = _facts(patient, zone, sent_on=known.sent_on, now=now)
        _decide(patient, found, facts, now=now)
    return 1


def plan_of(row: PromptSchedule) -> Schedule:
    """The stored schedule as the pure module takes it."""
    return Schedule(
        every=Every(row.every),
        at=row.at,
        starts_on=row.starts_on,
        weekdays=frozenset(row.weekdays),
        interval_weeks=row.interval_weeks,
        day_of_month=row.day_of_month or 1,
    )


def next_look(
    row: PromptSchedule, zone: ZoneInfo, *, now: datetime, after: date | None
) -> datetime:
    """When a sweep has to look at it again."""
    found = next_due(plan_of(row), zone, now=now, after=after)
    return min(found.at, now + LOOK_AGAIN) if found else now + LOOK_AGAIN


def _facts(
    patient: Patient, zone: ZoneInfo, *, sent_on: Mapping[str, date], now: datetime
) -> _Facts:
    today = now.astimezone(zone).date()
    answered_on = last_daily_on(patient.pk)
    enrolled_on = patient.enrolled_at.astimezone(zone).date() if patient.enrolled_at else today
    since = max(answered_on or enrolled_on, enrolled_on)
    paused = paused_until(answers_to_prompts(patient.pk))
    return _Facts(
        has_device=bool(
            accounts.users_with_live_device([patient.user_id] if patient.user_id else [])
        ),
        answered_on=answered_on,
        silent_days=max(0, (today - since).days - 1),
        quiet=QuietHours.of(patient.quiet_hours).end_after(now, zone) is not None,
        paused=paused is not None and now < paused,
        sent_on=sent_on,
    )


def _decide(
    patient: Patient,
    found: list[tuple[PromptSchedule, Occurrence]],
    facts: _Facts,
    *,
    now: datetime,
) -> None:
    """At the most one of these is sent: what is late is dropped, the rest is one message."""
    is_said = False
    for row, occurrence in found:
        why_not = _why_not(patient, row, occurrence, facts, is_said=is_said, now=now)
        is_said = is_said or not why_not
        prompt = Prompt.objects.create(
            patient=patient,
            local_date=occurrence.on,
            kind=row.kind,
            due_at=occurrence.at,
            decided_at=now,
            was_sent=not why_not,
            why_not=why_not,
        )
        if not why_not:
            queue_notifications(drafts=[prompt_draft(prompt, patient, now=now)], now=now)
        record_decision(
            patient=patient,
            kind=DecisionKind.PROMPT,
            source=f"{row.kind}:{occurrence.on.isoformat()}",
            known={
                "prompt_id": str(prompt.pk),
                "due_at": occurrence.at.isoformat(),
                "silent_days": facts.silent_days,
                "days_between": days_between_prompts(facts.silent_days),
                "has_device": facts.has_device,
            },
            options=[row.kind],
            chosen="" if why_not else row.kind,
            reason="" if why_not else "schedule",
            why_not=why_not,
            now=now,
        )


def _why_not(
    patient: Patient,
    row: PromptSchedule,
    occurrence: Occurrence,
    facts: _Facts,
    *,
    is_said: bool,
    now: datetime,
) -> str:
    """Empty when the prompt may go."""
    asks = row.kind == PromptKind.CHECK_IN
    is_done = facts.answered_on is not None and facts.answered_on >= occurrence.on
    is_on_rung = is_prompted(
        on=occurrence.on,
        silent_days=facts.silent_days,
        prompted_on=facts.sent_on.get(row.kind),
    )
    reasons = (
        ("no_account", patient.user_id is None),
        ("no_consent", not patient.is_monitored),
        ("already_done", asks and is_done),
        ("stale", is_stale(occurrence, now=now, life=PROMPT_LIFE)),
        ("quiet_hours", facts.quiet),
        ("no_device", not facts.has_device),
        ("back_off", facts.paused or (asks and not is_on_rung)),
        ("merged", is_said),
    )
    return next((name for name, holds in reasons if holds), "")


def prompt_draft(
    row: Prompt, patient: Patient, *, now: datetime, again: datetime | None = None
) -> NotificationDraft:
    """Its message, worth nothing after `PROMPT_LIFE`; `again` where it comes back."""
    assert patient.user_id is not None
    key = f"prompt:{patient.pk}:{row.local_date.isoformat()}:{row.kind}"
    return NotificationDraft(
        key=f"{key}:{again.isoformat()}" if again else key,
        kind=NotificationKind.PROMPT,
        subject=f"prompt:{row.pk}",
        recipient_id=patient.user_id,
        patient_id=patient.pk,
        priority=Priority.NORMAL,
        obeys_quiet_hours=True,
        text_id=TEXT_IDS[row.kind],
        text_facts={},
        due_at=now,
        expires_at=now + PROMPT_LIFE,
    )
