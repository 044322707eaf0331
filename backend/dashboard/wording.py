"""Small words of the pages: how long, which day, how much. In the language that is active."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

TREND_WORDS: Mapping[str, Promise] = {
    "improving": gettext_lazy("Improving"),
    "steady": gettext_lazy("Steady"),
    "worsening": gettext_lazy("Worsening"),
    "unknown": gettext_lazy("Too little to say"),
}
SIGNAL_WORDS: Mapping[str, Promise] = {
    "mood": gettext_lazy("Mood"),
    "craving": gettext_lazy("Craving"),
    "sleep_hours": gettext_lazy("Sleep"),
    "exercise_minutes": gettext_lazy("Exercise"),
    "confidence": gettext_lazy("Confidence"),
}
SCALE_WORDS: Mapping[str, Promise] = {
    "mood": gettext_lazy("0 to 10, 10 is best"),
    "craving": gettext_lazy("0 to 10, 10 is strongest"),
    "sleep_hours": gettext_lazy("hours a night"),
    "exercise_minutes": gettext_lazy("minutes a day"),
    "confidence": gettext_lazy("0 to 10, to stay with the plan"),
}
OUTCOME_WORDS: Mapping[str, Promise] = {
    "reached": gettext_lazy("Reached"),
    "not_reached": gettext_lazy("Not reached"),
    "welfare_check": gettext_lazy("Welfare check asked for"),
    "no_action_needed": gettext_lazy("Nothing was needed"),
    "recovered": gettext_lazy("It has passed by itself"),
    "historical": gettext_lazy("Historical"),
}


def how_long(span: timedelta) -> str:
    """For example "12 min", "3 h", "2 d": minutes up to two hours, hours up to two days."""
    minutes = max(int(span.total_seconds() // 60), 0)
    if span < 2 * HOUR:
        return _("%(count)d min") % {"count": minutes}
    if span < 2 * DAY:
        return _("%(count)d h") % {"count": minutes // 60}
    return _("%(count)d d") % {"count": span.days}


def due_words(due_at: datetime, *, now: datetime) -> str:
    """For example "due in 12 min" or "overdue 2 h"."""
    if due_at >= now:
        return _("due in %(span)s") % {"span": how_long(due_at - now)}
    return _("overdue %(span)s") % {"span": how_long(now - due_at)}


def silence_words(days_silent: int | None) -> str:
    """When the last daily check-in was."""
    if days_silent is None:
        return _("no check-in yet")
    if days_silent == 0:
        return _("today")
    if days_silent == 1:
        return _("yesterday")
    return ngettext("%(count)d day ago", "%(count)d days ago", days_silent) % {"count": days_silent}


def short_day(day: date, *, today: date) -> str:
    """For example "Nov 3"; "Nov 3, 2025" for a day of another year than today's."""
    if day.year == today.year:
        return str(formats.date_format(day, pgettext("format of a day", "M j")))
    return str(formats.date_format(day, pgettext("format of a day", "M j, Y")))


def month_and_year(day: date) -> str:
    """For example "Nov 2026"."""
    return str(formats.date_format(day, pgettext("format of a month", "M Y")))


def full_day(day: date) -> str:
    """For example "Tuesday, November 3, 2026"."""
    return str(formats.date_format(day, pgettext("format of a day", "l, F j, Y")))


def at_time(moment: datetime, zone: str, *, now: datetime) -> str:
    """A moment where the reader is: the clock alone today, else with its day."""
    local, today = moment.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone)).date()
    clock = str(formats.time_format(local.time(), "TIME_FORMAT"))
    if local.date() == today:
        return clock
    return f"{short_day(local.date(), today=today)}, {clock}"


def days_words(first: date, last: date, *, today: date) -> str:
    """One day, or from one to another."""
    begin, end = (short_day(day, today=today) for day in (first, last))
    if first == last:
        return begin
    return _("%(first)s to %(last)s") % {"first": begin, "last": end}


def number(value: float, *, places: int = 1) -> str:
    """A number with no more decimals than it needs, at most `places`, as the language writes it."""
    needed = next((n for n in range(places) if round(value, n) == round(value, places)), places)
    return str(formats.number_format(round(value, needed), decimal_pos=needed))


def amount(name: str, value: float) -> str:
    """One answer with its unit, for example "6.5 h"."""
    if name == "sleep_hours":
        return _("%(value)s h") % {"value": number(value, places=2)}
    if name == "exercise_minutes":
        return _("%(value)s min") % {"value": number(value, places=0)}
    return number(value)


def clock_of(moment: datetime, zone: str) -> str:
    """The time of day there."""
    return str(formats.time_format(timezone.localtime(moment, ZoneInfo(zone)).time(), "H:i"))
