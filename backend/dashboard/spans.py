"""Alerts as spans along the time axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backend.aftercare.models import Alert
from backend.aftercare.texts import render as text
from backend.dashboard.charts import percent
from backend.dashboard.wording import days_words

# A day of a long history would be too narrow to be seen: no span is shorter than one of so many.
MOST_SPANS = 120


@dataclass(frozen=True, slots=True)
class Span:
    """An alert along the axis, from its first day to its last."""

    at: str
    width: str
    severity: str
    is_historical: bool
    is_open: bool
    words: str


def alert_spans(
    alerts: Sequence[Alert], first: date, days: int, *, language: str, today: date
) -> list[Span]:
    """Those that touch these days, the earliest first, cut to them."""
    spans = []
    for alert in sorted(alerts, key=lambda alert: alert.first_on):
        start = max((alert.first_on - first).days, 0)
        end = min((alert.last_on - first).days + 1, days)
        if end <= start:
            continue
        width = max(end - start, days / MOST_SPANS)
        spans.append(
            Span(
                at=percent(min(start, days - width), days),
                width=percent(width, days),
                severity=alert.severity,
                is_historical=alert.is_historical,
                is_open=alert.resolved_at is None,
                words=alert_words(alert, language=language, today=today),
            )
        )
    return spans


def alert_words(alert: Alert, *, language: str, today: date) -> str:
    """For example "High: craving, Nov 3 to Nov 5 (historical)"."""
    words = text(
        "alert.title",
        language=language,
        severity=text(f"severity.{alert.severity}", language=language),
        condition=text(f"condition.{alert.condition}", language=language),
    )
    words += f", {days_words(alert.first_on, alert.last_on, today=today)}"
    return _("%(alert)s (historical)") % {"alert": words} if alert.is_historical else words


def spans_summary(spans: Sequence[Span]) -> str:
    """All of them in words."""
    if not spans:
        return _("No alert in these days")
    count = ngettext("%(count)d alert", "%(count)d alerts", len(spans)) % {"count": len(spans)}
    return f"{count}: " + "; ".join(span.words for span in spans)
