"""From an acceptable load to a limit: alerts per patient-month, counted as they would be sent."""

from __future__ import annotations

import numpy as np

from .arrays import Bools, Floats

QUIET_DAYS = 7
MONTH_DAYS = 30
BISECTIONS = 40


def thin(above: Bools) -> Bools:
    """Of people x days above a limit, the days that alert: at most one in seven days."""
    alerts = np.zeros_like(above)
    last = np.full(len(above), -QUIET_DAYS)
    for day in range(above.shape[1]):
        new = above[:, day] & (day - last >= QUIET_DAYS)
        alerts[new, day] = True
        last[new] = day
    return alerts


def alerts_per_month(score: Floats, limit: Floats | float, *, counted: Bools) -> float:
    """Alerts per 30 live patient-days; a day is live when it has a score and is `counted`."""
    live = int((counted & ~np.isnan(score)).sum())
    alerts = int((thin(score > limit) & counted).sum())
    return alerts * MONTH_DAYS / max(live, 1)


def fit_limit(score: Floats, target: float, *, counted: Bools) -> float:
    """The lowest limit that does not exceed `target` alerts a month on these people."""
    low, high = float(np.nanmin(score)) - 1e-6, float(np.nanmax(score))
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if alerts_per_month(score, middle, counted=counted) > target:
            low = middle
        else:
            high = middle
    return high
