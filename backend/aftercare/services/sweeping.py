"""Everyone, every few hours: judged again where the rules have changed, missed where silent."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import structlog
from django.db import transaction

from backend.accounts import audit
from backend.accounts.actor import Actor
from backend.accounts.models import Patient
from backend.aftercare.models import Alert, AlertStatus, Condition
from backend.aftercare.services.absences import Absence, follow_absence
from backend.aftercare.services.assessments import decide
from backend.aftercare.session_reads import missed_now
from backend.tracking.judging import judge, unchanged
from backend.tracking.sweeping import answered_until, claim_range, ends_of, finish_range, rows_of
from backend.tracking.trends import absence as long_absence
from backend.tracking.windows import Windows, latest_days, load_windows

logger = structlog.get_logger(__name__)
ACTOR = Actor.system("sweep_due")
ONE_DAY = timedelta(days=1)
# A turn ends in time for the worker's own limit; what is left is due for the next one.
TURN_S = 20.0
# Bounds the memory of a turn, however many patients there are.
CHUNK_PEOPLE = 2_000


def sweep_due(*, now: datetime) -> int:
    """Takes up ranges of patients until none is due or the turn is over; returns how many.

    Any number of copies share the ranges. One patient that fails is logged and passed over.
    """
    began, taken = time.monotonic(), 0
    while time.monotonic() - began < TURN_S:
        number = claim_range(now=now)
        if number is None:
            break
        first, last = ends_of(number)
        sweep_range(first, last, now=now)
        finish_range(number, now=now)
        taken += 1
    return taken


def sweep_range(first: UUID, last: UUID, *, now: datetime) -> int:
    """Judges every monitored patient whose id lies in the range; returns how many."""
    rows = Patient.objects.filter(
        pk__range=(first, last), discharged_at__isnull=True, left_monitoring_at__isnull=True
    )
    people = list(rows.order_by("pk").values_list("pk", "time_zone", "enrolled_at"))
    for start in range(0, len(people), CHUNK_PEOPLE):
        _sweep(people[start : start + CHUNK_PEOPLE], now=now)
    return len(people)


def _sweep(people: Sequence[tuple[UUID, str, datetime | None]], *, now: datetime) -> None:
    with transaction.atomic():
        # One row whatever the number of people: everyone in care from the first id to the last.
        audit.record(
            actor=ACTOR,
            action="check_ins.sweep",
            facts={"count": len(people), "from": str(people[0][0]), "to": str(people[-1][0])},
        )
        windows = load_windows(latest_days([patient_id for patient_id, _zone, _at in people]))
    _judge_again(windows, now=now)
    _follow_absences(people, windows, now=now)


def _judge_again(windows: Windows, *, now: datetime) -> None:
    """Whose days or rules are no longer those of the latest assessment; for most they are."""
    changed = np.flatnonzero(~unchanged(windows))
    if not len(changed):
        return
    judged = judge(rows_of(windows, changed.tolist()))
    for row, patient_id in enumerate(judged.windows.patient_ids):
        try:
            with transaction.atomic():
                decide(patient_id, judged, row, now=now)
        except Exception as error:
            logger.error("assessment_failed", patient_id=str(patient_id), exc_info=error)


def _follow_absences(
    people: Sequence[tuple[UUID, str, datetime | None]], windows: Windows, *, now: datetime
) -> None:
    zones = {patient_id: zone for patient_id, zone, _at in people}
    today = {zone: now.astimezone(ZoneInfo(zone)).date() for zone in set(zones.values())}
    until = {patient_id: today[zone] - ONE_DAY for patient_id, zone in zones.items()}
    enrolled = {
        patient_id: at.astimezone(ZoneInfo(zone)).date()
        for patient_id, zone, at in people
        if at is not None
    }
    missed = missed_now(zones, now=now)
    silent = _long_silences(windows, until, enrolled)
    answered = dict(zip(windows.patient_ids, windows.as_of, strict=True))
    standing = set(
        Alert.objects.filter(condition=Condition.ABSENCE, patient_id__in=list(zones))
        .exclude(status=AlertStatus.RESOLVED)
        .values_list("patient_id", flat=True)
    )
    for patient_id in zones:
        if patient_id in answered:
            answered_on = answered[patient_id]
        elif patient_id in enrolled:  # never yet: silent from the first day they were asked
            answered_on = enrolled[patient_id] - ONE_DAY
        else:
            continue
        absence = Absence(
            answered_on=answered_on,
            until=until[patient_id],
            is_long=patient_id in silent,
            missed=missed.get(patient_id, ()),
        )
        if absence.takes_a_flag or patient_id in standing:
            _follow(patient_id, absence, now=now)


def _long_silences(
    windows: Windows, until: dict[UUID, date], enrolled: dict[UUID, date]
) -> set[UUID]:
    """Whose silence is long for them."""
    days = [
        (until[patient_id] - enrolled.get(patient_id, date.min)).days + 1
        for patient_id in windows.patient_ids
    ]
    found = long_absence(
        answered_until(windows, until), enrolled_days=np.array(days, dtype=np.int64)
    )
    return {windows.patient_ids[row] for row in np.flatnonzero(found.flagged)}


def _follow(patient_id: UUID, absence: Absence, *, now: datetime) -> None:
    with transaction.atomic():
        patient = (
            Patient.objects.select_related("organisation", "user")
            .select_for_update(of=("self",), no_key=True)
            .get(pk=patient_id)
        )
        if patient.is_monitored:  # may have changed since the range was read
            follow_absence(actor=ACTOR, patient=patient, absence=absence, now=now)
