"""A patient's days as numbers: each signal, the person's own usual on each day, and marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import numpy as np

from backend.aftercare.models import Alert
from backend.dashboard.charts import Floats
from backend.tracking.models import CheckIn, CheckInKind
from backend.tracking.trends import SIGNALS, assess_window
from backend.tracking.windows import WINDOW_DAYS, Windows, load_windows, sliding

RULE_SIGNALS = {
    "craving": "craving",
    "low_mood": "mood",
    "short_sleep": "sleep_hours",
    "confidence": "confidence",
}


@dataclass(frozen=True, slots=True)
class SignalDays:
    """One signal, an entry a day, NaN where there is none. `low` to `high` is the person's own
    usual as it was known that day: the mean and one SD of the days 49 to 8 before."""

    name: str
    values: Floats
    low: Floats
    high: Floats


def load_series(patient_id: UUID, *, first: date, last: date) -> list[SignalDays]:
    """The daily signals of these days, in their usual order, in one query."""
    days = (last - first).days + 1
    windows = load_windows({patient_id: last}, days=days + WINDOW_DAYS - 1)
    low, high = _bands(windows, days)
    return [
        SignalDays(
            name=signal.name,
            values=windows.raw[signal.name][0][-days:],
            low=low[:, column],
            high=high[:, column],
        )
        for column, signal in enumerate(SIGNALS)
    ]


def _bands(windows: Windows, days: int) -> tuple[Floats, Floats]:
    history = sliding(windows)
    asked = {name: values[-days:] for name, values in history.raw.items()}
    readings = assess_window(asked, SIGNALS).readings.signals
    ends = [
        np.stack(
            [
                signal.raw(
                    np.clip(
                        readings.base_mean[:, column] + side * readings.base_sd[:, column], 0, 10
                    )
                )
                for column, signal in enumerate(SIGNALS)
            ],
            axis=1,
        )
        for side in (-1, 1)
    ]
    return np.minimum(*ends), np.maximum(*ends)


def days_of_alert(alert: Alert) -> set[date]:
    """The days whose check-ins made this alert."""
    return {date.fromisoformat(reason["on"]) for reason in alert.reasons if reason.get("on")}


def telling_days(alerts: Sequence[Alert]) -> Mapping[str, set[date]]:
    """For each signal the days whose answers made one of these alerts."""
    found: dict[str, set[date]] = {signal.name: set() for signal in SIGNALS}
    for alert in alerts:
        for reason in alert.reasons:
            signal = RULE_SIGNALS.get(reason["rule"])
            if signal is not None and reason.get("on"):
                found[signal].add(date.fromisoformat(reason["on"]))
            for fact in reason.get("facts", {}).get("signals", ()):
                made = {date.fromisoformat(day) for day in fact.get("days", ())}
                found.setdefault(str(fact["signal"]), set()).update(made)
    return found


def days_of_use(check_ins: Sequence[CheckIn]) -> set[date]:
    """The days on which use was reported; the day named in the report, if one was."""
    standing = (row for row in check_ins if row.withdrawn_at is None)
    return {row.use_on or row.local_date for row in standing if row.use_reported}


def days_with_word(check_ins: Sequence[CheckIn]) -> set[date]:
    """The days with a daily check-in."""
    standing = (row for row in check_ins if row.withdrawn_at is None)
    return {row.local_date for row in standing if row.kind == CheckInKind.DAILY}


def index_of(first: date, days: set[date], count: int) -> set[int]:
    """Where these days stand along the axis; those outside of it are left out."""
    places = {(day - first) // timedelta(days=1) for day in days}
    return {place for place in places if 0 <= place < count}
