"""Reads of what patients recorded. Callers hold a patient that `access_*` gave them."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection
from django.db.models import Max, Min, Q, QuerySet, Subquery
from psycopg.pq import Format

from backend.accounts import patient_keys
from backend.rows import array_of
from backend.tracking.models import (
    Assessment,
    CheckIn,
    CheckInKind,
    CheckInRevision,
    ErasedCheckIn,
    TrendDirection,
)
from backend.tracking.packing import SIZE, Packed
from backend.tracking.reports import CheckInReport

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where somebody stands now: the last day of a daily check-in, and what the numbers said last.

    `facts` are there for who is worsening, whose sentence is made of them, and empty for the rest,
    whose kilobytes nobody would read. `packed` is the window that counts, if one does.
    """

    last_on: date | None
    trend: str
    facts: dict[str, Any]
    packed: Packed | None = None


@dataclass(frozen=True, slots=True)
class NearbyDays:
    """What the days around one day said; see `decision_rules.RecentFacts`."""

    moods: tuple[int, ...]
    sleep_hours: tuple[float, ...]
    last_use_on: date | None


def find_check_in(check_in_id: UUID) -> CheckIn | None:
    """By the phone's id, whoever's it is. Only for deciding about a replay."""
    return CheckIn.objects.filter(pk=check_in_id).first()


def was_erased(check_in_id: UUID) -> bool:
    """Whether whoever had a check-in under this id had it erased."""
    return ErasedCheckIn.objects.filter(pk=check_in_id).exists()


def find_check_ins(ids: Sequence[UUID]) -> dict[UUID, CheckIn]:
    """By the phones' ids, whoever's they are. Only for deciding about replays."""
    return CheckIn.objects.in_bulk(list(ids)) if ids else {}


def says_the_same(row: CheckIn, report: CheckInReport) -> bool:
    """Whether what is stored is what this report says. A note is opened only if all else agrees."""
    return bytes(row.content_digest) == report.digest() and row.note == report.note


def former_note(revision: CheckInRevision) -> str:
    """The note that a check-in had before it was changed. Raises `UnreadableError`."""
    row = revision.check_in
    place = (revision._meta.db_table, "content.note", f"{row.pk}:{revision.revision}")
    return patient_keys.unseal(row.patient_id, *place, base64.b64decode(revision.content["note"]))


def latest_daily(patient_id: UUID, days: Sequence[date]) -> list[CheckIn]:
    """For each of these days the daily check-in recorded last."""
    return list(
        CheckIn.objects.filter(
            patient_id=patient_id,
            kind=CheckInKind.DAILY,
            local_date__in=list(days),
            withdrawn_at__isnull=True,
        )
        .order_by("local_date", "-recorded_at", "-received_at")
        .distinct("local_date")
    )


def nearby_days(patient_id: UUID, on: date, *, look_ahead: bool) -> NearbyDays:
    """The day before, the day after (where `look_ahead`), and the last earlier day with use.

    Check-ins arrive in any order, so a live one looks both ways; a day of the past that is judged
    as of itself knows nothing of the next.
    """
    wanted = [on - ONE_DAY, on + ONE_DAY] if look_ahead else [on - ONE_DAY]
    days = latest_daily(patient_id, wanted)
    last_use = (
        CheckIn.objects.filter(
            patient_id=patient_id,
            use_reported=True,
            local_date__lt=on,
            withdrawn_at__isnull=True,
        )
        .order_by("-local_date")
        .values_list("local_date", flat=True)
        .first()
    )
    return NearbyDays(
        moods=tuple(day.mood for day in days if day.mood is not None),
        sleep_hours=tuple(float(day.sleep_hours) for day in days if day.sleep_hours is not None),
        last_use_on=last_use,
    )


def check_ins_page(
    patient_id: UUID, *, size: int, before: tuple[datetime, UUID] | None = None
) -> QuerySet[CheckIn]:
    """The newest first, one more than `size` so that the caller knows of a next page."""
    rows = CheckIn.objects.filter(patient_id=patient_id, withdrawn_at__isnull=True)
    if before is not None:
        at, last_id = before
        rows = rows.filter(Q(recorded_at__lt=at) | Q(recorded_at=at, pk__lt=last_id))
    return rows.order_by("-recorded_at", "-pk")[: size + 1]


def latest_assessment(patient_id: UUID) -> Assessment | None:
    """What the numbers said last; None before the first evaluation.

    Of a day whose check-in was taken back, and of no later one, they say nothing any more.
    """
    last = CheckIn.objects.filter(
        patient_id=patient_id, kind=CheckInKind.DAILY, withdrawn_at__isnull=True
    ).order_by("-local_date")
    return (
        Assessment.objects.filter(
            patient_id=patient_id, as_of_on__lte=Subquery(last.values("local_date")[:1])
        )
        .order_by("-as_of_on", "-assessed_at")
        .first()
    )


def recorded_span(patient_id: UUID) -> tuple[date, date] | None:
    """The first and the last day of this patient's daily check-ins; None without any."""
    ends = CheckIn.objects.filter(
        patient_id=patient_id, kind=CheckInKind.DAILY, withdrawn_at__isnull=True
    ).aggregate(first=Min("local_date"), last=Max("local_date"))
    return (ends["first"], ends["last"]) if ends["first"] else None


# Nobody's check-ins are looked up whose packed window counts. One statement, so one snapshot: a
# change and its request are seen together or not at all. A limit on each part, so that it is looked
# up by person: row-level security hides from the planner how few rows there are.
_STANDINGS = """
SELECT asked.patient_id, latest.local_date, said.trend, said.facts, w.last_on, w.days, w.ruleset
  FROM unnest(%s::uuid[]) AS asked(patient_id)
  LEFT JOIN LATERAL
       (SELECT last_on, days, ruleset FROM tracking_packedwindow AS p
         WHERE p.patient_id = asked.patient_id AND octet_length(p.days) = %s
           AND NOT EXISTS (SELECT FROM tracking_assessmentrequest AS r
                            WHERE r.patient_id = asked.patient_id)
         LIMIT 1) AS w ON true
  LEFT JOIN LATERAL
       (SELECT local_date FROM tracking_checkin AS c
         WHERE w.last_on IS NULL
           AND c.patient_id = asked.patient_id AND kind = 'daily' AND withdrawn_at IS NULL
         ORDER BY local_date DESC LIMIT 1) AS latest ON true
  LEFT JOIN LATERAL
       ((SELECT trend, CASE WHEN trend = 'worsening' THEN facts::text END AS facts
           FROM tracking_assessment AS a
          WHERE a.patient_id = asked.patient_id AND as_of_on = w.last_on
          ORDER BY assessed_at DESC LIMIT 1)
        UNION ALL
        (SELECT trend, CASE WHEN trend = 'worsening' THEN facts::text END AS facts
           FROM tracking_assessment AS a
          WHERE a.patient_id = asked.patient_id AND as_of_on <= latest.local_date
          ORDER BY as_of_on DESC, assessed_at DESC LIMIT 1)) AS said ON true
"""


def standings(patient_ids: Sequence[UUID]) -> dict[UUID, Standing]:
    """Of each of these patients, by one look at the end of an index or two a person."""
    with connection.cursor() as cursor:
        cursor.cursor.format = Format.BINARY  # as text, every byte of a window is two
        cursor.execute(_STANDINGS, [array_of(patient_ids), SIZE])
        return {
            patient_id: Standing(
                packed_on or last_on,
                trend or TrendDirection.UNKNOWN.value,
                msgspec.json.decode(facts) if facts else {},
                Packed(packed_on, days, ruleset) if packed_on else None,
            )
            for patient_id, last_on, trend, facts, packed_on, days, ruleset in cursor.fetchall()
        }


def check_ins_of_days(patient_id: UUID, first: date, last: date) -> QuerySet[CheckIn]:
    """Everything about these days that was not taken back, in the order of recording."""
    rows = CheckIn.objects.filter(patient_id=patient_id, withdrawn_at__isnull=True)
    return rows.filter(local_date__range=(first, last)).order_by("recorded_at", "pk")
