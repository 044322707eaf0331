"""Deciding whether a patient is nudged: a row for each decision, also when nothing is said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Q

from backend.accounts.models import Patient
from backend.aftercare.models import Nudge
from backend.aftercare.policy import NUDGE_LIFE, NUDGES_PER_DAY, NUDGES_PER_WEEK
from backend.notifications.models import NotificationKind, Priority
from backend.notifications.services import NotificationDraft, queue_notifications

# The same kind again within this time says nothing new.
SAME_KIND_INTERVAL = timedelta(days=7)


def nudge(
    *, patient: Patient, kind: str, reasons: Sequence[dict[str, Any]], now: datetime
) -> Nudge | None:
    """Decides once per patient, local date and kind; None when that was decided before.

    Runs in the caller's transaction, under the patient's lock.
    """
    today = now.astimezone(ZoneInfo(patient.time_zone)).date()
    if Nudge.objects.filter(patient=patient, local_date=today, kind=kind).exists():
        return None
    why_not = _why_not(patient, kind, now=now)
    row = Nudge.objects.create(
        patient=patient,
        local_date=today,
        kind=kind,
        reasons=list(reasons),
        decided_at=now,
        was_sent=not why_not,
        why_not=why_not,
    )
    if row.was_sent:
        queue_notifications(drafts=[_draft(row, patient, now=now)], now=now)
    return row


def _why_not(patient: Patient, kind: str, *, now: datetime) -> str:
    """Empty when the nudge may go."""
    if patient.user_id is None:
        return "no_account"
    today = now.astimezone(ZoneInfo(patient.time_zone)).date()
    sent = Nudge.objects.filter(patient=patient, was_sent=True).aggregate(
        today=Count("pk", filter=Q(local_date=today)),
        week=Count("pk", filter=Q(local_date__gt=today - timedelta(days=7))),
        same=Count("pk", filter=Q(kind=kind, decided_at__gt=now - SAME_KIND_INTERVAL)),
    )
    if sent["same"]:
        return "said_already"
    if sent["today"] >= NUDGES_PER_DAY or sent["week"] >= NUDGES_PER_WEEK:
        return "budget"
    return ""


def _draft(row: Nudge, patient: Patient, *, now: datetime) -> NotificationDraft:
    assert patient.user_id is not None
    return NotificationDraft(
        key=f"nudge:{patient.pk}:{row.local_date.isoformat()}:{row.kind}",
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
