"""A date of a search is a span, as exact as it was written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from backend.fhir.dates import DateTest, parse_date

NEW_YORK = ZoneInfo("America/New_York")


def test_a_day_on_which_the_clocks_change_has_its_own_length() -> None:
    found = parse_date("2026-03-08", zone=NEW_YORK)
    assert found == DateTest(
        start=datetime(2026, 3, 8, 5, tzinfo=UTC), end=datetime(2026, 3, 9, 4, tzinfo=UTC)
    )


def test_december_ends_with_the_year() -> None:
    assert parse_date("2026-12", zone=UTC).end == datetime(2027, 1, 1, tzinfo=UTC)


def test_a_moment_is_as_exact_as_it_was_written() -> None:
    ends = {
        "2026-03-04T12:00Z": timedelta(minutes=1),
        "2026-03-04T12:00:00Z": timedelta(seconds=1),
        "2026-03-04T12:00:00.5Z": timedelta(microseconds=1),
    }
    for raw, length in ends.items():
        found = parse_date(raw, zone=NEW_YORK)
        assert found.start is not None and found.end is not None
        assert found.end - found.start == length


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/New_York", "UTC"])
@pytest.mark.parametrize("raw", ["0001-01-01", "ge0001", "9999-12-31", "lt9999-12-31T23:59:59Z"])
def test_the_ends_of_the_calendar_break_nothing(raw: str, zone: str) -> None:
    try:
        found = parse_date(raw, zone=ZoneInfo(zone))
    except ValueError:
        return
    assert found.start or found.end


@pytest.mark.parametrize(
    "raw", ["", "ge", "2026-3-4", "2026-03-04 12:00", "２０２６", "2026-03-04T12"]
)
def test_other_words_are_no_date(raw: str) -> None:
    with pytest.raises(ValueError, match="not a date"):
        parse_date(raw, zone=NEW_YORK)
