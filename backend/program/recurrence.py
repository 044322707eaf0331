"""Days on which a series of sessions takes place: a small part of RFC 5545. Pure.

Weekly rules alone (`FREQ=WEEKLY;BYDAY=MO,WE,FR;UNTIL=20260531`), on the wall clock of the
programme's zone, so that a session stays at nine when the clocks change.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from dateutil.rrule import FR, MO, SA, SU, TH, TU, WE, WEEKLY, rrule

MOST_SESSIONS = 200
LONGEST = timedelta(days=2 * 366)
WEEKDAYS = {"MO": MO, "TU": TU, "WE": WE, "TH": TH, "FR": FR, "SA": SA, "SU": SU}
_DAY = "|".join(WEEKDAYS)
_PARTS = {
    "FREQ": re.compile("WEEKLY"),
    "INTERVAL": re.compile("[1-8]"),
    "BYDAY": re.compile(f"({_DAY})(,({_DAY})){{0,6}}"),
    "COUNT": re.compile("[1-9][0-9]{0,2}"),
    "UNTIL": re.compile("[0-9]{8}"),
}


class UnusableRuleError(ValueError):
    """A rule that is not of this part of RFC 5545, never ends, or never takes place."""


def occurrences(rule: str, *, first_on: date, at: time, zone: ZoneInfo) -> list[datetime]:
    """The starts in UTC, in order. A clock time that a change skips is an hour later that day.

    Raises `UnusableRuleError`, also for more than `MOST_SESSIONS` or days beyond `LONGEST`.
    """
    parts = _parsed(rule)
    weekdays = parts["BYDAY"].split(",") if "BYDAY" in parts else []
    days = rrule(  # type: ignore[no-untyped-call]
        WEEKLY,
        dtstart=datetime.combine(first_on, at),
        interval=int(parts.get("INTERVAL", "1")),
        byweekday=[WEEKDAYS[day] for day in weekdays] or None,
        count=int(parts["COUNT"]) if "COUNT" in parts else None,
        until=_end_of(parts["UNTIL"]) if "UNTIL" in parts else None,
    )
    found = list(islice(days, MOST_SESSIONS + 1))
    if not found or len(found) > MOST_SESSIONS or found[-1].date() - first_on > LONGEST:
        raise UnusableRuleError(rule)
    return [day.replace(tzinfo=zone).astimezone(UTC) for day in found]


def _parsed(rule: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in rule.split(";")]
    parts = {name: value for name, _equals, value in pairs}
    is_known = all(name in _PARTS and _PARTS[name].fullmatch(parts[name]) for name in parts)
    ends = {"COUNT", "UNTIL"} & parts.keys()
    if not is_known or len(parts) < len(pairs) or "FREQ" not in parts or len(ends) != 1:
        raise UnusableRuleError(rule)
    return parts


def _end_of(day: str) -> datetime:
    try:
        return datetime.strptime(day, "%Y%m%d") + timedelta(days=1, seconds=-1)  # noqa: DTZ007
    except (ValueError, OverflowError):
        raise UnusableRuleError(day) from None
