"""A check-in before it is stored: validated, complete, the same from a phone or an import."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct


class CheckInReport(Struct, frozen=True, kw_only=True):
    """One completed self-report. None means skipped. `recorded_at` is aware, with its offset.

    Ratings are 0 to 10 (mood 10 best, craving 10 strongest, confidence 10 surest), sleep quality
    1 to 5, sleep in hours by quarters, exercise in minutes.
    """

    id: UUID
    kind: str
    local_date: date
    recorded_at: datetime
    time_zone: str = ""
    mood: int | None = None
    craving: int | None = None
    confidence: int | None = None
    sleep_hours: Decimal | None = None
    sleep_quality: int | None = None
    exercise_minutes: int | None = None
    exercise_kind: str = ""
    use_reported: bool | None = None
    use_substances: tuple[str, ...] = ()
    use_on: date | None = None
    withdrawal_reported: bool | None = None
    withdrawal_substances: tuple[str, ...] = ()
    withdrawal_symptoms: tuple[str, ...] = ()
    not_safe: bool = False
    cues: tuple[str, ...] = ()
    helped: tuple[str, ...] = ()
    note: str = ""
    note_shared: bool = False

    def items(self) -> dict[str, Any]:
        """Field name to value, everything but the id."""
        values = msgspec.structs.asdict(self)
        del values["id"]
        return values

    def digest(self) -> bytes:
        """SHA-256 of the content, the note left out: a short one could be guessed from it.

        Two bodies that say the same thing have the same one; see `selectors.says_the_same`.
        """
        content = {name: value for name, value in self.items().items() if value not in (None, ())}
        content["note"] = ""
        content["recorded_at"] = [self.recorded_at.astimezone(UTC), self.utc_offset_minutes]
        return hashlib.sha256(msgspec.json.encode(content, order="deterministic")).digest()

    @property
    def utc_offset_minutes(self) -> int:
        offset = self.recorded_at.utcoffset()
        return int(offset.total_seconds() // 60) if offset else 0


ITEMS = tuple(name for name in CheckInReport.__struct_fields__ if name != "id")
