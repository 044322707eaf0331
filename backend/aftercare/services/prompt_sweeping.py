"""Each sweep: prompts by schedule; what was put off comes back; what was answered does not."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from django.db import transaction
from django.db.models import F, OuterRef, Subquery

from backend.accounts.models import Patient
from backend.aftercare.models import DecisionKind, Nudge, Prompt, PromptKind
from backend.aftercare.selectors import last_daily_on
from backend.aftercare.services.answering import subject_of_nudge
from backend.aftercare.services.decisions import record_decision
from backend.aftercare.services.nudges import draft_for
from backend.aftercare.services.prompting import BATCH, prompt_draft, prompt_patients
from backend.notifications.models import Notification, NotificationKind
from backend.notifications.quiet_hours import QuietHours
from backend.notifications.services import cancel_pending, queue_notifications
from backend.tracking.models import CheckIn, CheckInKind

logger = structlog.get_logger(__name__)


def prompt_due(*, now: datetime) -> int:
    """One turn; returns how many patients were looked at and how many messages taken back."""
    return drop_answered(now=now) + prompt_patients(now=now) + bring_back(now=now)


def bring_back(*, now: datetime) -> int:
    """Sends again what was put off until now; returns how many came up."""
    done = 0
    for kind in (Nudge, Prompt):
        due = kind.objects.filter(snoozed_until__lte=now).order_by("snoozed_until")
        for row_id, patient_id in list(due.values_list("pk", "patient_id")[:BATCH]):
            try:
                done += _bring_back(kind, row_id, patient_id, now=now)
            except Exception as error:
                logger.error("snooze_failed", patient_id=str(patient_id), exc_info=error)
    return done


@transaction.atomic
def _bring_back(
    kind: type[Nudge] | type[Prompt], row_id: UUID, patient_id: UUID, *, now: datetime
) -> int:
    patient = (
        Patient.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
        .filter(pk=patient_id)
        .first()
    )
    row = kind.objects.filter(pk=row_id, snoozed_until__lte=now).first()
    if patient is None or row is None or row.snoozed_until is None:
        return 0
    until, row.snoozed_until = row.snoozed_until, None
    row.save(update_fields=["snoozed_until"])
    why_not = _why_not(patient, row, now=now)
    if not why_not:
        draft = (
            prompt_draft(row, patient, now=now, again=until)
            if isinstance(row, Prompt)
            else draft_for(row, patient, now=now, again=until)
        )
        queue_notifications(drafts=[draft], now=now)
    record_decision(
        patient=patient,
        kind=DecisionKind.PROMPT if isinstance(row, Prompt) else DecisionKind.NUDGE,
        source=f"snooze:{row.kind}",
        known={"id": str(row.pk), "until": until.isoformat()},
        options=["again"],
        chosen="" if why_not else "again",
        reason="" if why_not else "snoozed",
        why_not=why_not,
        now=now,
    )
    return 1


def _why_not(patient: Patient, row: Nudge | Prompt, *, now: datetime) -> str:
    """Empty when it may come back. A nudge waits for the morning; a prompt is over by then."""
    if patient.user_id is None:
        return "no_account"
    if not patient.is_monitored:
        return "no_consent"
    if _is_done(row):
        return "already_done"
    hours = QuietHours.of(patient.quiet_hours)
    is_quiet = hours.end_after(now, ZoneInfo(patient.time_zone)) is not None
    return "quiet_hours" if is_quiet and isinstance(row, Prompt) else ""


def _is_done(row: Nudge | Prompt) -> bool:
    if not isinstance(row, Prompt) or row.kind != PromptKind.CHECK_IN:
        return False
    answered_on = last_daily_on(row.patient_id)
    return answered_on is not None and answered_on >= row.local_date


def drop_answered(*, now: datetime, patient_ids: Collection[UUID] | None = None) -> int:
    """Takes back prompts for a check-in that wait to be sent although it is there; how many.

    Few prompts wait at any time, so that looking costs next to nothing.
    """
    waiting = Notification.objects.filter(
        kind=NotificationKind.PROMPT, settled_at__isnull=True, cancelled_at__isnull=True
    )
    if patient_ids is not None:
        waiting = waiting.filter(patient_id__in=patient_ids)
    subjects = set(waiting.values_list("subject", flat=True)[:BATCH])
    if not subjects:
        return 0
    answered = CheckIn.objects.filter(
        patient_id=OuterRef("patient_id"), kind=CheckInKind.DAILY, withdrawn_at__isnull=True
    ).order_by("-local_date")
    rows = (
        Prompt.objects.filter(
            pk__in=[subject.partition(":")[2] for subject in subjects], kind=PromptKind.CHECK_IN
        )
        .annotate(answered_on=Subquery(answered.values("local_date")[:1]))
        .filter(answered_on__gte=F("local_date"))
    )
    return sum(cancel_pending(subject=subject_of_nudge(row), now=now) for row in rows)
