"""Where a diary's days fall on the calendar, and the ids that make an import safe to repeat."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

_NAMESPACE = UUID("b3b0b6d4-52f5-4b0e-9d0d-2f4f6a0a1c57")


@dataclass(frozen=True, slots=True)
class Placement:
    """`shift` days take a diary's day to a date; `time_zone` is where its evenings were."""

    shift: int
    time_zone: str

    def local_date(self, day: int) -> date:
        """Raises `ValueError` beyond the calendar."""
        try:
            return date.fromordinal(day + self.shift)
        except OverflowError as error:
            raise ValueError from error

    def recorded_at(self, day: int, at: time) -> datetime:
        return datetime.combine(self.local_date(day), at, tzinfo=ZoneInfo(self.time_zone))


def check_in_id(*, organisation_id: UUID, source: str, person: str, day: int) -> UUID:
    """The same day of the same person is the same check-in for ever."""
    return uuid5(_NAMESPACE, "\x1f".join((str(organisation_id), source, person, str(day))))
