"""A patient's sessions that are to come, week by week, as the page shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from backend.dashboard.planning_form import DAY_WORDS, REPEATS, PlanForm
from backend.dashboard.programme import KIND_WORDS, STATUS_WORDS, UNRECORDED, day_of, status_of
from backend.dashboard.wording import clock_of, days_words
from backend.program.models import ProgramSession


@dataclass(frozen=True, slots=True)
class Planned:
    """One session that is to come. `day` and `clock` are those that its form begins with;
    `moved_id` makes moving it count once however often the form is sent."""

    id: UUID
    title: str
    clock: str
    kind: str
    minutes: int
    series: bool
    is_off: bool
    status: str
    status_word: str
    holiday: str
    day: str
    clock_written: str
    moved_id: UUID
    problem: str
    may_change: bool


@dataclass(frozen=True, slots=True)
class Week:
    title: str
    sessions: list[Planned]


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong with the form of one session, and what had been written in it."""

    session_id: UUID
    words: str
    day: str = ""
    clock: str = ""


def show_weeks(
    rows: Sequence[ProgramSession],
    *,
    holidays: Mapping[str, str],
    now: datetime,
    problem: Problem | None = None,
) -> list[Week]:
    """By the weeks of the programme, which begin on Mondays."""
    found = []
    for monday, group in groupby(rows, key=_monday):
        sessions = [_planned(row, holidays, problem, now=now) for row in group]
        today = now.astimezone(ZoneInfo(sessions_zone(rows))).date()
        title = _week_title(monday, today)
        found.append(Week(title=title, sessions=sessions))
    return found


def sessions_zone(rows: Sequence[ProgramSession]) -> str:
    """They are all of one programme."""
    return rows[0].time_zone


def _monday(row: ProgramSession) -> date:
    day = day_of(row)
    return day - timedelta(days=day.weekday())


def _week_title(monday: date, today: date) -> str:
    this = today - timedelta(days=today.weekday())
    if monday == this:
        return _("This week")
    if monday == this + timedelta(days=7):
        return _("Next week")
    return days_words(monday, monday + timedelta(days=6), today=today)


def _planned(
    row: ProgramSession, holidays: Mapping[str, str], problem: Problem | None, *, now: datetime
) -> Planned:
    day, status = day_of(row), status_of(row)
    is_telling = status != UNRECORDED or row.starts_at <= now
    clock = clock_of(row.starts_at, row.time_zone)
    mine = problem if problem is not None and problem.session_id == row.pk else None
    return Planned(
        id=row.pk,
        title=str(formats.date_format(day, pgettext("format of a day", "D, M j"))),
        clock=clock,
        kind=str(KIND_WORDS[row.kind]),
        minutes=row.duration_minutes,
        series=row.series_id is not None,
        is_off=row.cancelled_at is not None,
        status=status,
        status_word=str(STATUS_WORDS[status]) if is_telling else "",
        holiday=holidays.get(day.isoformat(), ""),
        day=mine.day if mine and mine.day else day.isoformat(),
        clock_written=mine.clock if mine and mine.clock else clock,
        moved_id=uuid4(),
        problem=mine.words if mine else "",
        may_change=status == UNRECORDED,
    )


def summary(rows: Sequence[ProgramSession], *, now: datetime) -> str:
    """How many stand, and until when."""
    stand = [row for row in rows if row.cancelled_at is None and row.starts_at > now]
    if not stand:
        return _("No session is planned.")
    today = now.astimezone(ZoneInfo(sessions_zone(rows))).date()
    words = ngettext(
        "%(count)d session is planned, on %(day)s.",
        "%(count)d sessions are planned, the last one on %(day)s.",
        len(stand),
    )
    day = days_words(day_of(stand[-1]), day_of(stand[-1]), today=today)
    return words % {"count": len(stand), "day": day}


@dataclass(frozen=True, slots=True)
class Choices:
    """What may be chosen in the form: value, words, and whether it is."""

    kinds: list[tuple[str, str, bool]]
    repeats: list[tuple[str, str, bool]]
    weekdays: list[tuple[str, str, bool]]


def choices_of(form: PlanForm) -> Choices:
    return Choices(
        kinds=[(name, str(words), name == form.kind) for name, words in KIND_WORDS.items()],
        repeats=[(name, str(words), name == form.repeat) for name, words in REPEATS.items()],
        weekdays=[(name, str(words), name in form.weekdays) for name, words in DAY_WORDS.items()],
    )
