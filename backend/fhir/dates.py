"""The dates of a FHIR search: a prefix, and a moment as exact as it was written. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

_WRITTEN = re.compile(
    r"(?P<prefix>eq|ne|ge|gt|le|lt|sa|eb)?(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    r"(?:T(?P<hour>\d\d):(?P<minute>\d\d)(?P<second>:\d\d(?:\.\d{1,6})?)?"
    r"(?P<zone>Z|[+-]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class DateTest:
    """Holds for `start` <= moment < `end`, and for all other moments where `is_negated`."""

    start: datetime | None = None
    end: datetime | None = None
    is_negated: bool = False


def parse_date(raw: str, *, zone: tzinfo) -> DateTest:
    """A date without a zone is one of `zone`. Raises `ValueError` for what is no date."""
    found = _WRITTEN.fullmatch(raw)
    if found is None:
        raise ValueError("not a date of a search")
    try:
        start, end = _range(found, zone)
    except OverflowError:
        raise ValueError("outside of the calendar") from None
    match found["prefix"] or "eq":
        case "ge":
            return DateTest(start=start)
        case "gt" | "sa":
            return DateTest(start=end)
        case "le":
            return DateTest(end=end)
        case "lt" | "eb":
            return DateTest(end=start)
        case prefix:
            return DateTest(start=start, end=end, is_negated=prefix == "ne")


def _range(found: re.Match[str], zone: tzinfo) -> tuple[datetime, datetime]:
    year, month, day = int(found["year"]), int(found["month"] or 1), int(found["day"] or 1)
    if found["hour"]:
        return _range_of_time(found, zone)
    start = datetime(year, month, day, tzinfo=zone)
    if found["day"]:
        # Not 24 hours: the day on which the clocks change has 23 or 25.
        end = start + timedelta(days=1)
    elif found["month"]:
        end = start.replace(year=year + month // 12, month=month % 12 + 1)
    else:
        end = start.replace(year=year + 1)
    return start.astimezone(UTC), end.astimezone(UTC)


def _range_of_time(found: re.Match[str], zone: tzinfo) -> tuple[datetime, datetime]:
    words = found[0].removeprefix(found["prefix"] or "")
    start = datetime.fromisoformat(words)
    if start.tzinfo is None:
        start = start.replace(tzinfo=zone)
    start = start.astimezone(UTC)
    if not found["second"]:
        return start, start + timedelta(minutes=1)
    exactness = timedelta(microseconds=1) if "." in found["second"] else timedelta(seconds=1)
    return start, start + exactness
