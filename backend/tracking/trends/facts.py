"""The facts behind one person's trend, ready for JSON: numbers and names, never words.

Values are on the scale the person answered on, so that a sentence can repeat them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np

from .arrays import Floats, Ints
from .mann_kendall import mann_kendall, theil_sen
from .readings import Readings
from .results import RULESET, TRENDS, Trend
from .signals import Signal

DECIMALS = 3
# A day belongs to the trend when it lies this far from usual in the trend's direction.
DAY_SD = 0.5


def person_facts(
    readings: Readings,
    badness: Floats,
    signals: Sequence[Signal],
    person: int,
    *,
    as_of: date,
) -> dict[str, Any]:
    """Facts of one person; dates are ISO strings, what is unknown is None.

    `signals` come with the reasons first, the largest change leading. `began_on` is the likeliest
    first day of the change, None while nothing changes.
    """
    moving = TRENDS[int(readings.trend[person])] in (Trend.WORSENING, Trend.IMPROVING)
    began = int(readings.began[person])
    order = _order(readings, person)
    return {
        "ruleset": RULESET,
        "as_of": as_of.isoformat(),
        "trend": TRENDS[int(readings.trend[person])].value,
        "score": _number(readings.score[person]),
        "improving_score": _number(readings.improving_score[person]),
        "limits": {
            "nudge": _number(readings.nudge_limit[person]),
            "flag": _number(readings.flag_limit[person]),
        },
        "since": {
            "nudge": _day(as_of, readings.since_nudge[person]),
            "flag": _day(as_of, readings.since_flag[person]),
        },
        "began_on": _day(as_of, began) if moving else None,
        "quiet_days": int(readings.quiet_days[person]),
        "confidence": _number(readings.confidence[person]),
        "signals": [
            _signal_facts(readings, badness[person, :, column], signals[column], person, column)
            | {"days": _days(readings, badness[person, :, column], person, column, as_of)}
            for column in order
        ],
    }


def _order(readings: Readings, person: int) -> Ints:
    change = np.nan_to_num(readings.signals.change_sd[person])
    improving = TRENDS[int(readings.trend[person])] is Trend.IMPROVING
    return np.lexsort((change if improving else -change, ~readings.signals.reason[person]))


def _signal_facts(
    readings: Readings, badness: Floats, signal: Signal, person: int, column: int
) -> dict[str, Any]:
    here = readings.signals
    mean, sd = here.base_mean[person, column], here.base_sd[person, column]
    smoothed = here.smoothed[person, column]
    seen = badness[~np.isnan(badness)]
    # As of the last answer, like everything else here.
    until = badness[: max(1, len(badness) - int(readings.quiet_days[person])), None]
    band = sorted(float(signal.raw(np.clip(mean + side * sd, 0, 10))) for side in (-1, 1))
    return {
        "signal": signal.name,
        "unit": signal.unit,
        "worse_is": "lower" if signal.reversed else "higher",
        "reason": bool(here.reason[person, column]),
        "score": _number(here.score[person, column]),
        "limits": {
            "nudge": _number(here.nudge_limit[person, column]),
            "flag": _number(here.flag_limit[person, column]),
        },
        "baseline": {
            "mean": _number(signal.raw(mean)),
            "sd": _number(abs(signal.raw_change(sd))),
            "low": _number(band[0]),
            "high": _number(band[1]),
            "count": int(here.base_count[person, column]),
        },
        "latest": _number(signal.raw(seen[-1])) if len(seen) else None,
        "smoothed": _number(signal.raw(smoothed)),
        "smoothed_score": _number(here.smoothed_score[person, column]),
        "change": _number(signal.raw_change(smoothed - mean)),
        "change_sd": _number(here.change_sd[person, column]),
        "direction_score": _number(mann_kendall(until)[0]),
        "slope_per_week": _number(signal.raw_change(theil_sen(until)[0])),
    }


def _days(readings: Readings, badness: Floats, person: int, column: int, as_of: date) -> list[str]:
    """The days since the change began whose values made it, oldest first; none while steady."""
    here = readings.signals
    if not here.reason[person, column]:
        return []
    sign = -1 if TRENDS[int(readings.trend[person])] is Trend.IMPROVING else 1
    deviation = sign * (badness - here.base_mean[person, column]) / here.base_sd[person, column]
    ago = np.arange(len(badness) - 1, -1, -1)
    made = (deviation >= DAY_SD) & (ago <= readings.began[person])
    return [(as_of - timedelta(days=int(days))).isoformat() for days in ago[made]]


def _day(as_of: date, days_ago: int | np.integer[Any]) -> str | None:
    return (as_of - timedelta(days=int(days_ago))).isoformat() if days_ago >= 0 else None


def _number(value: float | Floats) -> float | None:
    number = float(value)
    return None if math.isnan(number) else round(number, DECIMALS)
