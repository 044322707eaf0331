"""A patient's chart: panels under one time axis, in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from django.utils.translation import gettext as _

from backend.dashboard import series
from backend.dashboard.charts import Scale, band_path, dots_path, line_path, percent
from backend.dashboard.programme import Mark, marks_summary, result_marks, session_marks
from backend.dashboard.series import SignalDays
from backend.dashboard.services import PatientRecord
from backend.dashboard.spans import Span, alert_spans, spans_summary
from backend.dashboard.wording import (
    SCALE_WORDS,
    SIGNAL_WORDS,
    amount,
    full_day,
    month_and_year,
    number,
    short_day,
)

# An axis up to so many days has all Mondays, up to so many every second one; a longer one has at
# most so many months, which a phone has room for.
MOST_MONDAYS, MOST_WEEKLY, MOST_MONTHS = 35, 120, 5
EDGE = 0.05


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis: where, in per cent, and what it says."""

    at: str
    words: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One signal. `marked` are the dots of the days that made an alert."""

    name: str
    title: str
    scale: str
    latest: str
    usual: str
    band: str
    line: str
    dots: str
    marked: str
    ticks: list[Tick]
    summary: str


@dataclass(frozen=True, slots=True)
class Timeline:
    days: int
    panels: list[Panel]
    spans: list[Span]
    alert_days: list[str]
    use_days: list[str]
    word_days: str
    use_summary: str
    word_summary: str
    alert_summary: str
    sessions: list[Mark]
    session_summary: str
    results: list[Mark]
    result_summary: str
    axis: list[Tick]
    told: list[dict[str, str]]


def show_timeline(record: PatientRecord, *, language: str) -> Timeline:
    """The chart of the days that the record covers."""
    first, days = record.first, (record.last - record.first).days + 1
    start = record.new_normal
    signals = series.load_series(
        record.patient.pk,
        first=first,
        last=record.last,
        counted_from=start.from_on if start else None,
    )
    telling = series.telling_days(record.alerts)
    alert_days = {day for alert in record.alerts for day in series.days_of_alert(alert)}
    use = series.days_of_use(record.check_ins)
    words = series.index_of(first, series.days_with_word(record.check_ins), days)
    marked = sorted(series.index_of(first, alert_days, days))
    sessions, results = session_marks(record, days), result_marks(record, days)
    spans = alert_spans(record.alerts, first, days, language=language, today=record.today)
    return Timeline(
        days=days,
        panels=[
            _panel(signal, series.index_of(first, telling[signal.name], days), record)
            for signal in signals
        ],
        spans=spans,
        alert_days=[percent(day + 0.5, days) for day in marked],
        use_days=[percent(d + 0.5, days) for d in sorted(series.index_of(first, use, days))],
        word_days="".join(f"M{day + 0.5} 0v100" for day in sorted(words)),
        use_summary=_use_summary(use, record.today),
        word_summary=_("Check-ins on %(count)d of %(days)d days")
        % {"count": len(words), "days": days},
        alert_summary=spans_summary(spans),
        sessions=sessions,
        session_summary=marks_summary(sessions, _("Sessions"), today=record.today),
        results=results,
        result_summary=marks_summary(results, _("Tests"), today=record.today),
        axis=_axis(record),
        told=_told(signals, first, use, set(marked), sessions, results),
    )


def _panel(signal: SignalDays, telling: set[int], record: PatientRecord) -> Panel:
    scale = _scale(signal)
    seen = np.flatnonzero(~np.isnan(signal.values))
    latest = amount(signal.name, float(signal.values[seen[-1]])) if len(seen) else ""
    start = record.new_normal
    usual = _usual(signal, max((start.from_on - record.first).days, 0) if start else 0)
    return Panel(
        name=signal.name,
        title=str(SIGNAL_WORDS[signal.name]),
        scale=str(SCALE_WORDS[signal.name]),
        latest=latest,
        usual=usual,
        band=band_path(signal.low, signal.high, scale),
        line=line_path(signal.values, scale),
        dots=dots_path(signal.values, scale),
        marked=dots_path(signal.values, scale, telling),
        ticks=[
            Tick(at=f"{scale.y(value):.1f}%", words=number(value, places=0))
            for value in (scale.high, (scale.low + scale.high) / 2, scale.low)
        ],
        summary=_panel_summary(signal, len(seen), latest, usual, _telling_words(telling, record)),
    )


def _scale(signal: SignalDays) -> Scale:
    most = float(np.nanmax(signal.values)) if not np.isnan(signal.values).all() else 0.0
    if signal.name == "sleep_hours":
        return Scale(0, 12 if most <= 12 else 24)
    if signal.name == "exercise_minutes":
        return Scale(0, max(60.0, np.ceil(most / 60) * 60))
    return Scale(0, 10)


def _usual(signal: SignalDays, since: int) -> str:
    """The band on the last day that has one, of the days from index `since` on."""
    known = np.flatnonzero(~np.isnan(signal.low))
    if not len(known) or known[-1] < since:
        return ""
    low, high = (float(end[known[-1]]) for end in (signal.low, signal.high))
    places = 0 if signal.name == "exercise_minutes" else 1
    lowest, highest = number(low, places=places), number(high, places=places)
    return lowest if lowest == highest else f"{lowest}–{highest}"


def _panel_summary(signal: SignalDays, count: int, latest: str, usual: str, telling: str) -> str:
    title = SIGNAL_WORDS[signal.name]
    if not count:
        return _("%(signal)s: no answer in these days") % {"signal": title}
    told = _("%(signal)s: %(count)d answers in %(days)d days, the last %(latest)s") % {
        "signal": title,
        "count": count,
        "days": len(signal.values),
        "latest": latest,
    }
    if usual:
        told += _("; usual for this person %(usual)s") % {"usual": usual}
    if telling:
        told += _("; days that made an alert: %(days)s") % {"days": telling}
    return told


def _telling_words(telling: set[int], record: PatientRecord) -> str:
    days = (_day(record.first, index) for index in sorted(telling))
    return ", ".join(short_day(day, today=record.today) for day in days)


def _use_summary(days: set[date], today: date) -> str:
    if not days:
        return _("No use reported in these days")
    listed = ", ".join(short_day(day, today=today) for day in sorted(days))
    return _("Use reported: %(days)s") % {"days": listed}


def _axis(record: PatientRecord) -> list[Tick]:
    """Mondays of a month, every second one of a quarter, else some of the months."""
    days = (record.last - record.first).days + 1
    dates = [_day(record.first, index) for index in range(days)]
    if days <= MOST_WEEKLY:
        mondays = [day for day in dates if day.weekday() == 0]
        step = 1 if days <= MOST_MONDAYS else 2
        told = [(day, short_day(day, today=day)) for day in mondays[::step]]
    else:
        months = [day for day in dates if day.day == 1]
        step = -(-len(months) // MOST_MONTHS)
        told = [(day, month_and_year(day)) for day in months[::step]]
    places = [((day - record.first).days + 0.5, words) for day, words in told]
    # A label near an edge would leave the chart.
    inside = [(place, words) for place, words in places if EDGE < place / days < 1 - EDGE]
    return [Tick(at=percent(place, days), words=words) for place, words in inside]


def _day(first: date, index: int) -> date:
    return first + timedelta(days=index)


def _told(
    signals: Sequence[SignalDays],
    first: date,
    use: set[date],
    marked: set[int],
    sessions: Sequence[Mark],
    results: Sequence[Mark],
) -> list[dict[str, str]]:
    """What the chart says of each day, for whoever moves along it."""
    told = []
    for index in range(len(signals[0].values)):
        day = _day(first, index)
        parts = [
            f"{SIGNAL_WORDS[signal.name]} {amount(signal.name, float(signal.values[index]))}"
            for signal in signals
            if not np.isnan(signal.values[index])
        ]
        if day in use:
            parts.append(_("use reported"))
        parts += [mark.words for mark in sessions if mark.day == day]
        parts += [_("test %(result)s") % {"result": m.words} for m in results if m.day == day]
        if index in marked:
            parts.append(_("made an alert"))
        told.append({"day": full_day(day), "says": " · ".join(parts) or _("no check-in")})
    return told
