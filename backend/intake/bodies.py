"""What a phone may send as a check-in, and the checks that types alone cannot make."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from django.utils.translation import gettext as _
from msgspec import UNSET, Meta, Struct, UnsetType, defstruct
from msgspec.structs import fields

from backend.errors import FieldProblem, Invalid
from backend.tracking.models import CheckIn
from backend.tracking.reports import CheckInReport

Rating = Annotated[int, Meta(ge=0, le=10)]
Tag = Annotated[str, Meta(min_length=1, max_length=40)]
Tags = Annotated[list[Tag], Meta(max_length=20)]
Substance = Literal[
    "alcohol", "opioids", "benzodiazepines", "stimulants", "cannabis", "nicotine", "other"
]
Symptom = Literal[
    "seizure",
    "confusion",
    "hallucination",
    "shaking",
    "sweating",
    "vomiting",
    "anxiety",
    "pain",
    "sleeplessness",
    "other",
]
Exercise = Literal["walk", "run", "cycle", "strength", "yoga", "sport", "other"]

CLOCK_TOLERANCE = timedelta(minutes=10)
OLDEST = timedelta(days=366)
ITEMS = (
    "mood", "craving", "confidence", "sleep_hours", "sleep_quality", "exercise_minutes",
    "exercise_kind", "use_reported", "use_substances", "withdrawal_reported",
    "withdrawal_substances", "withdrawal_symptoms", "cues", "helped", "note",
)  # fmt: skip


class CheckInBody(Struct, forbid_unknown_fields=True, kw_only=True):
    """A check-in. Every item may be skipped, but one must be there; `not_safe` may stand alone.

    `recorded_at` carries the phone's offset; `local_date` is the day it is about.
    """

    id: UUID
    kind: Literal["daily", "moment"]
    local_date: date
    recorded_at: Annotated[datetime, Meta(tz=True)]
    time_zone: Annotated[str, Meta(max_length=64)] = ""
    not_safe: bool = False
    mood: Rating | None = None
    craving: Rating | None = None
    confidence: Rating | None = None
    sleep_hours: Annotated[float, Meta(ge=0, le=24, multiple_of=0.25)] | None = None
    sleep_quality: Annotated[int, Meta(ge=1, le=5)] | None = None
    exercise_minutes: Annotated[int, Meta(ge=0, le=1440)] | None = None
    exercise_kind: Exercise | None = None
    use_reported: bool | None = None
    use_substances: Annotated[list[Substance], Meta(max_length=7)] = []
    use_on: date | None = None
    withdrawal_reported: bool | None = None
    withdrawal_substances: Annotated[list[Substance], Meta(max_length=7)] = []
    withdrawal_symptoms: Annotated[list[Symptom], Meta(max_length=10)] = []
    cues: Tags = []
    helped: Tags = []
    note: Annotated[str, Meta(max_length=4000)] = ""
    note_shared: bool = False


CheckInChanges = defstruct(
    "CheckInChanges",
    [
        (field.name, field.type | UnsetType, UNSET)
        for field in fields(CheckInBody)
        if field.name not in ("id", "recorded_at")
    ],
    forbid_unknown_fields=True,
    kw_only=True,
    namespace={"__doc__": "The items of a check-in to change. What is not sent stays as it is."},
)


def to_report(body: CheckInBody, *, patient_zone: str, now: datetime) -> CheckInReport:
    """The report to store. Raises `Invalid` listing everything that is wrong."""
    problems = list(_problems(body, patient_zone=patient_zone, now=now))
    if problems:
        raise Invalid("invalid_body", problems[0].detail, problems=problems)
    return CheckInReport(
        id=body.id,
        kind=body.kind,
        local_date=body.local_date,
        recorded_at=body.recorded_at,
        time_zone=body.time_zone,
        not_safe=body.not_safe,
        mood=body.mood,
        craving=body.craving,
        confidence=body.confidence,
        sleep_hours=None if body.sleep_hours is None else Decimal(str(body.sleep_hours)),
        sleep_quality=body.sleep_quality,
        exercise_minutes=body.exercise_minutes,
        exercise_kind=body.exercise_kind or "",
        use_reported=_reported(body.use_reported, bool(body.use_substances or body.use_on)),
        use_substances=tuple(dict.fromkeys(body.use_substances)),
        use_on=body.use_on,
        withdrawal_reported=_reported(
            body.withdrawal_reported, bool(body.withdrawal_substances or body.withdrawal_symptoms)
        ),
        withdrawal_substances=tuple(dict.fromkeys(body.withdrawal_substances)),
        withdrawal_symptoms=tuple(dict.fromkeys(body.withdrawal_symptoms)),
        cues=tuple(dict.fromkeys(body.cues)),
        helped=tuple(dict.fromkeys(body.helped)),
        note=body.note,
        note_shared=body.note_shared,
    )


def stored_body(row: CheckIn) -> dict[str, Any]:
    """A stored check-in as the body that would have made it, for merging changes into."""
    here = timezone(timedelta(minutes=row.utc_offset_minutes))
    own = {field.name: getattr(row, field.name) for field in fields(CheckInBody)}
    return {
        **own,
        "recorded_at": row.recorded_at.astimezone(here),
        "sleep_hours": None if row.sleep_hours is None else float(row.sleep_hours),
        "exercise_kind": row.exercise_kind or None,
    }


def _reported(answer: bool | None, has_details: bool) -> bool | None:
    return True if answer is None and has_details else answer


def _problems(body: CheckInBody, *, patient_zone: str, now: datetime) -> Iterator[FieldProblem]:
    if not body.not_safe and not any(getattr(body, name) not in (None, "", []) for name in ITEMS):
        yield FieldProblem("", "empty_check_in", _("At least one item is needed."))
    yield from _time_problems(body, patient_zone=patient_zone, now=now)
    if body.use_reported is False and (body.use_substances or body.use_on):
        yield FieldProblem("/use_reported", "contradiction", _("No use, yet details of it."))
    if body.withdrawal_reported is False and (
        body.withdrawal_substances or body.withdrawal_symptoms
    ):
        yield FieldProblem(
            "/withdrawal_reported", "contradiction", _("No withdrawal, yet details of it.")
        )


def _time_problems(
    body: CheckInBody, *, patient_zone: str, now: datetime
) -> Iterator[FieldProblem]:
    if body.time_zone and body.time_zone not in _zones():
        yield FieldProblem("/time_zone", "unknown_time_zone", _("This time zone is not known."))
    if body.recorded_at > now + CLOCK_TOLERANCE:
        yield FieldProblem("/recorded_at", "in_the_future", _("This time has not come yet."))
    if body.local_date > latest_date(body.recorded_at, patient_zone, now):
        yield FieldProblem("/local_date", "in_the_future", _("This day has not come yet."))
    if body.local_date < (now - OLDEST).date():
        yield FieldProblem("/local_date", "too_long_ago", _("This day is more than a year ago."))
    if body.use_on and body.use_on > body.local_date:
        yield FieldProblem("/use_on", "in_the_future", _("This day has not come yet."))


def latest_date(recorded_at: datetime, patient_zone: str, now: datetime) -> date:
    """The furthest date that it can be for this person: by the phone's offset, or at home."""
    moment = min(recorded_at, now + CLOCK_TOLERANCE)
    by_phone = moment.astimezone(recorded_at.tzinfo or UTC).date()
    return max(by_phone, moment.astimezone(ZoneInfo(patient_zone)).date())


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
