"""A patient's days as numbers: each signal, the person's own usual on each day, and marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import numpy as np

from backend.aftercare.models import Alert
from backend.dashboard.charts import Floats
from backend.tracking.baselines import first_counted
from backend.tracking.models import CheckIn, CheckInKind
from backend.tracking.trends import SIGNALS
from backend.tracking.trends.baseline import FIRST_DAYS_AGO, baseline
from backend.tracking.trends.signals import stacked_badness
from backend.tracking.windows import Windows, load_windows, sliding

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


def load_series(
    patient_id: UUID, *, first: date, last: date, counted_from: date | None = None
) -> list[SignalDays]:
    """The daily signals of these days, in their usual order, in one query.

    Once their new normal has begun, `counted_from`, no day before it counts towards the usual.
    """
    days = (last - first).days + 1
    windows = load_windows({patient_id: last}, days=days + FIRST_DAYS_AGO)
    starts = {} if counted_from is None else {patient_id: counted_from}
    low, high = _bands(windows, days, starts)
    return [
        SignalDays(
            name=signal.name,
            values=windows.raw[signal.name][0][-days:],
            low=low[:, column],
            high=high[:, column],
        )
        for column, signal in enumerate(SIGNALS)
    ]


def _bands(windows: Windows, days: int, starts: Mapping[UUID, date]) -> tuple[Floats, Floats]:
    """Lowest and highest usual value, days x signals.

    Also of a day without an answer, where an assessment would hold on to the last answer's: through
    a long gap that would show as usual what nobody has known for weeks.
    """
    history = sliding(windows, days=FIRST_DAYS_AGO + 1)
    counted = np.arange(FIRST_DAYS_AGO + 1) >= first_counted(history, starts)[-days:, None]
    asked = {
        name: np.where(counted, values[-days:], np.nan) for name, values in history.raw.items()
    }
    by_day = stacked_badness(asked, SIGNALS).transpose(1, 0, 2)
    base = baseline(by_day, population_sd=np.array([signal.population_sd for signal in SIGNALS]))
    mean = np.where(base.known, base.mean, np.nan)
    ends = [_raw(np.clip(mean + side * base.sd, 0, 10)) for side in (-1, 1)]
    return np.minimum(*ends), np.maximum(*ends)


def _raw(badness: Floats) -> Floats:
    """Days x signals on the scales that people answer on."""
    columns = [signal.raw(badness[:, column]) for column, signal in enumerate(SIGNALS)]
    return np.stack(columns, axis=1)


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
