"""The caseload as its page shows it: sentences and shapes, in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backend.aftercare.caseload import CaseloadLine
from backend.aftercare.decision_rules import Severity
from backend.aftercare.texts import render as text
from backend.aftercare.trend_answers import trend_now
from backend.dashboard.charts import Floats, Scale, dots_path, line_path
from backend.dashboard.desk import Desk
from backend.dashboard.series import RULE_SIGNALS
from backend.dashboard.services import SPARK_DAYS, CaseloadRecord
from backend.dashboard.wording import (
    SIGNAL_WORDS,
    TREND_WORDS,
    amount,
    due_words,
    short_day,
    silence_words,
)
from backend.tracking.models import TrendDirection
from backend.tracking.windows import COLUMNS, Windows

SPARK_SCALES = {"sleep_hours": Scale(0, 12), "exercise_minutes": Scale(0, 90)}
RATING = Scale(0, 10)
LONG_SILENCE = 3


class Group(StrEnum):
    """Which part of the list a patient stands in."""

    WAITING = "waiting"
    SEEN = "seen"
    LOOK = "look"
    CALM = "calm"


@dataclass(frozen=True, slots=True)
class Sparkline:
    """Thirty days of one signal; `label` says in words what the line shows."""

    days: int
    line: str
    dots: str
    last: str
    caption: str
    label: str


@dataclass(frozen=True, slots=True)
class ShownLine:
    patient_id: UUID
    name: str
    ref: str
    group: Group
    severity: str
    severity_word: str
    condition: str
    due: str
    due_at: datetime | None
    is_overdue: bool
    more_alerts: str
    reason: str
    silence: str
    is_silent: bool
    trend: str
    trend_word: str
    spark: Sparkline | None


@dataclass(frozen=True, slots=True)
class ShownGroup:
    key: str
    title: str
    lines: list[ShownLine]


@dataclass(frozen=True, slots=True)
class CaseloadPage:
    """`summary` is what a person reads first, and what a screen reader hears when it changes."""

    groups: list[ShownGroup]
    summary: str
    found: str
    total: int


def show_caseload(record: CaseloadRecord, desk: Desk, *, wanted: str = "") -> CaseloadPage:
    """Everyone, or those whose name or reference holds every word of `wanted`."""
    row_of = {patient_id: row for row, patient_id in enumerate(record.windows.patient_ids)}
    shown = [
        _line(line, record.windows, row_of.get(line.patient.pk), desk)
        for line in record.lines
        if _matches(line, wanted)
    ]
    titles = {
        Group.WAITING: _("Waiting for somebody"),
        Group.SEEN: _("Seen, outcome still open"),
        Group.LOOK: _("To reach out to"),
        Group.CALM: _("Everyone else"),
    }
    groups = [
        ShownGroup(key=key.value, title=title, lines=[x for x in shown if x.group is key])
        for key, title in titles.items()
    ]
    waiting = sum(1 for line in record.lines if line.unanswered)
    return CaseloadPage(
        groups=[group for group in groups if group.lines],
        summary=_summary(waiting),
        found=_found(len(shown), wanted),
        total=len(record.lines),
    )


def _summary(waiting: int) -> str:
    if not waiting:
        return _("Nobody is waiting for an answer to an alert.")
    return ngettext(
        "%(count)d person is waiting for an answer to an alert.",
        "%(count)d people are waiting for an answer to an alert.",
        waiting,
    ) % {"count": waiting}


def _found(count: int, wanted: str) -> str:
    if not wanted.strip():
        return ""
    return ngettext("%(count)d person found.", "%(count)d people found.", count) % {"count": count}


def _matches(line: CaseloadLine, wanted: str) -> bool:
    patient = line.patient
    known = f"{patient.given_name} {patient.family_name} {patient.external_ref}".casefold()
    return all(word in known for word in wanted.casefold().split())


def full_name(given_name: str, family_name: str) -> str:
    return f"{given_name} {family_name}".strip()


def _group(line: CaseloadLine) -> Group:
    if line.alerts:
        return Group.WAITING if line.unanswered else Group.SEEN
    if line.missed or line.silence >= LONG_SILENCE or line.trend == TrendDirection.WORSENING:
        return Group.LOOK
    return Group.CALM


def _line(line: CaseloadLine, windows: Windows, row: int | None, desk: Desk) -> ShownLine:
    first, patient = line.first_alert, line.patient
    due_at = first.due_at if first and first.acknowledged_at is None else None
    more = len(line.alerts) - 1
    trend = trend_now(line.trend, line.days_silent)
    return ShownLine(
        patient_id=patient.pk,
        name=full_name(patient.given_name, patient.family_name),
        ref=patient.external_ref,
        group=_group(line),
        severity=first.severity if first else "",
        severity_word=text(f"severity.{first.severity}", language=desk.language) if first else "",
        condition=text(f"condition.{first.condition}", language=desk.language) if first else "",
        due=due_words(due_at, now=desk.now) if due_at else "",
        due_at=due_at,
        is_overdue=due_at is not None and due_at < desk.now,
        more_alerts=_more(more),
        reason=line.reason,
        silence=silence_words(line.days_silent),
        is_silent=line.silence >= LONG_SILENCE,
        trend=trend,
        trend_word=str(TREND_WORDS[trend]),
        spark=None if row is None else _spark(line, windows, row, desk),
    )


def _more(count: int) -> str:
    if count < 1:
        return ""
    return ngettext("and %(count)d more alert", "and %(count)d more alerts", count) % {
        "count": count
    }


def _spark(line: CaseloadLine, windows: Windows, row: int, desk: Desk) -> Sparkline | None:
    name = _telling_signal(line, windows, row)
    if name is None:
        return None
    values, scale = windows.raw[name][row], SPARK_SCALES.get(name, RATING)
    seen = np.flatnonzero(~np.isnan(values))
    today = desk.now.astimezone(ZoneInfo(line.patient.time_zone)).date()
    end = short_day(windows.as_of[row], today=today)
    return Sparkline(
        days=SPARK_DAYS,
        line=line_path(values, scale),
        dots=dots_path(values, scale),
        last=dots_path(values, scale, {int(seen[-1])}),
        caption=str(SIGNAL_WORDS[name]),
        label=_spark_label(name, values[seen], end),
    )


def _spark_label(name: str, numbers: Floats, end: str) -> str:
    return _(
        "%(signal)s, 30 days up to %(day)s: %(count)d answers from %(low)s to %(high)s, "
        "the last %(last)s"
    ) % {
        "signal": SIGNAL_WORDS[name],
        "day": end,
        "count": len(numbers),
        "low": amount(name, float(numbers.min())),
        "high": amount(name, float(numbers.max())),
        "last": amount(name, float(numbers[-1])),
    }


def _telling_signal(line: CaseloadLine, windows: Windows, row: int) -> str | None:
    """The signal behind the reason, else mood, else the first that was recorded."""
    recorded = [name for name in COLUMNS if not np.isnan(windows.raw[name][row]).all()]
    told = [name for name in _told(line) if name in recorded]
    return next(iter([*told, *recorded]), None)


def _told(line: CaseloadLine) -> list[str]:
    """The signals of the reason that the line gives: the newest of the most severe ones."""
    reasons = reversed(line.first_alert.reasons) if line.first_alert else ()
    reason = max(reasons, key=lambda reason: Severity(reason["severity"]).rank, default=None)
    if reason is None:
        return []
    if reason["rule"] in RULE_SIGNALS:
        return [RULE_SIGNALS[reason["rule"]]]
    return [str(signal["signal"]) for signal in reason.get("facts", {}).get("signals", ())]
