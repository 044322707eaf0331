"""One person's rows as days: reported, unreported, or bad with the reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from backend.errors import Invalid
from backend.intake.bodies import CheckInBody, to_report
from backend.intake.diaries.answers import Reader, Unreadable
from backend.intake.diaries.mapping import DiaryMapping
from backend.intake.diaries.placing import Placement
from backend.intake.diaries.reading import BadRow, Person, Row
from backend.tracking.models import CheckInKind
from backend.tracking.reports import CheckInReport

# A mistyped day must not stretch somebody's history over centuries.
LONGEST_DIARY_DAYS = 3660


@dataclass(frozen=True, slots=True)
class Day:
    """One reported day; `items` are a check-in's."""

    line: int
    number: int
    items: dict[str, Any]


@dataclass(slots=True)
class PersonDays:
    """`reported` is in the order of days; `last` is the last day with a row, reported or not."""

    reported: list[Day] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    unreported: int = 0
    without_row: int = 0
    clipped: int = 0
    last: int = 0
    has_any: bool = False


class PersonReader:
    """A mapping, prepared for many people."""

    def __init__(self, mapping: DiaryMapping) -> None:
        self._mapping = mapping
        self._reader = Reader(mapping)

    def read(self, person: Person) -> PersonDays:
        """The person's days, without duplicates and without days far from all others."""
        found = PersonDays()
        rows = sorted(person.rows, key=lambda row: (row.day, row.line))
        middle = rows[len(rows) // 2].day
        seen: dict[int, int] = {}
        days: set[int] = set()
        for row in rows:
            if abs(row.day - middle) > LONGEST_DIARY_DAYS:
                reason = "more than ten years from this person's other days"
                found.bad.append(BadRow(row.line, f"{self._mapping.day.column}: {reason}"))
                continue
            days.add(row.day)
            if row.day in seen:
                found.bad.append(BadRow(row.line, f"is the same day as line {seen[row.day]}"))
            elif self._add(found, row):
                seen[row.day] = row.line
        if days:
            found.has_any, found.last = True, max(days)
            found.without_row = max(days) - min(days) + 1 - len(days)
        return found

    def _add(self, found: PersonDays, row: Row) -> bool:
        """Whether the row could be read."""
        try:
            answers = self._reader.read(row.values)
        except Unreadable as error:
            found.bad.append(BadRow(row.line, str(error)))
            return False
        found.clipped += answers.clipped
        if answers.items is None:
            found.unreported += 1
        else:
            found.reported.append(Day(row.line, row.day, answers.items))
        return True

    def report(
        self, day: Day, check_in_id: UUID, placement: Placement, *, now: datetime
    ) -> CheckInReport | BadRow:
        """The day as a phone would have sent it that evening, under the same rules."""
        try:
            recorded_at = placement.recorded_at(day.number, self._mapping.day.recorded_time)
        except ValueError:
            return BadRow(day.line, f"{self._mapping.day.column}: beyond the calendar")
        zone = ZoneInfo(placement.time_zone)
        if recorded_at.date() >= now.astimezone(zone).date():
            return BadRow(day.line, f"{self._mapping.day.column}: this day is not over yet")
        try:
            body = msgspec.convert(
                {
                    **day.items,
                    "id": check_in_id,
                    "kind": CheckInKind.DAILY.value,
                    "local_date": recorded_at.date(),
                    "recorded_at": recorded_at,
                    "time_zone": placement.time_zone,
                },
                CheckInBody,
            )
            # As of that evening: a phone's oldest day is a year ago, a diary's is not.
            return to_report(body, patient_zone=placement.time_zone, now=recorded_at)
        except msgspec.ValidationError as error:
            # Its text names the item and its limits, never the value.
            return BadRow(day.line, str(error))
        except Invalid as error:
            return BadRow(day.line, error.detail)
