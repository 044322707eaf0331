"""How a check-in and a trend look in an answer."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

from msgspec import Struct

from backend.tracking.models import Assessment, CheckIn


class CheckInAnswer(Struct):
    """A stored check-in. Null means that the item was skipped."""

    id: UUID
    kind: str
    source: str
    local_date: date
    recorded_at: datetime
    time_zone: str
    received_at: datetime
    is_late: bool
    revision: int
    not_safe: bool
    mood: int | None
    craving: int | None
    confidence: int | None
    sleep_hours: float | None
    sleep_quality: int | None
    exercise_minutes: int | None
    exercise_kind: str | None
    use_reported: bool | None
    use_substances: list[str]
    use_on: date | None
    withdrawal_reported: bool | None
    withdrawal_substances: list[str]
    withdrawal_symptoms: list[str]
    cues: list[str]
    helped: list[str]
    note: str
    note_shared: bool


class TrendAnswer(Struct):
    """A trend against the person's own usual. `trend` is unknown while data are thin."""

    trend: str
    as_of: date | None
    assessed_at: datetime | None
    ruleset: str | None
    explanation: str
    signals: list[dict[str, Any]]


def show_check_in(row: CheckIn, *, with_note: bool = True) -> CheckInAnswer:
    """`with_note` is false for a reader whom the patient has not shown the note to."""
    here = timezone(timedelta(minutes=row.utc_offset_minutes))
    return CheckInAnswer(
        id=row.pk,
        kind=row.kind,
        source=row.source,
        local_date=row.local_date,
        recorded_at=row.recorded_at.astimezone(here),
        time_zone=row.time_zone,
        received_at=row.received_at,
        is_late=row.is_late,
        revision=row.revision,
        not_safe=row.not_safe,
        mood=row.mood,
        craving=row.craving,
        confidence=row.confidence,
        sleep_hours=None if row.sleep_hours is None else float(row.sleep_hours),
        sleep_quality=row.sleep_quality,
        exercise_minutes=row.exercise_minutes,
        exercise_kind=row.exercise_kind or None,
        use_reported=row.use_reported,
        use_substances=row.use_substances,
        use_on=row.use_on,
        withdrawal_reported=row.withdrawal_reported,
        withdrawal_substances=row.withdrawal_substances,
        withdrawal_symptoms=row.withdrawal_symptoms,
        cues=row.cues,
        helped=row.helped,
        note=row.note if with_note else "",
        note_shared=row.note_shared,
    )


SIGNAL_FACTS = (
    "signal", "unit", "worse_is", "reason", "baseline", "latest", "smoothed", "slope_per_week",
    "days",
)  # fmt: skip


def show_trend(assessment: Assessment | None, *, explanation: str) -> TrendAnswer:
    """Directions, bands and days; the scores behind them stay in the assessment."""
    if assessment is None:
        return TrendAnswer(
            trend="unknown",
            as_of=None,
            assessed_at=None,
            ruleset=None,
            explanation=explanation,
            signals=[],
        )
    return TrendAnswer(
        trend=assessment.trend,
        as_of=assessment.as_of_on,
        assessed_at=assessment.assessed_at,
        ruleset=assessment.ruleset,
        explanation=explanation,
        signals=[
            {name: signal[name] for name in SIGNAL_FACTS} for signal in assessment.facts["signals"]
        ],
    )
