"""What became of one person's part of a diary."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from backend.intake.diaries.reading import BadRow


@dataclass(slots=True)
class Imported:
    """What became of one person's rows. `trend` is None when nothing was ever reported."""

    rows: int
    is_new: bool = False
    reported: int = 0
    unreported: int = 0
    without_row: int = 0
    stored: int = 0
    already_there: int = 0
    clipped: int = 0
    historical_alerts: int = 0
    first_on: date | None = None
    last_on: date | None = None
    trend: str | None = None
    bad: list[BadRow] = field(default_factory=list)
