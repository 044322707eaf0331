"""Everyone's trend as the ORM's tutorial leads to it: a loop over the patients, numpy for each.

The question to the database is filtered and answered from an index, and the arithmetic is our own,
because the statistics are not what is compared. Nothing is slow on purpose.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from backend.accounts.models import Patient
from backend.tracking.trends import SIGNALS, Tier, assess_window

DAYS = 90
NAMES = tuple(signal.name for signal in SIGNALS)


@dataclass(frozen=True)
class Found:
    """What a sweep says of one patient."""

    trend: str
    nudged: bool
    flagged: bool


def sweep(patients: list[Patient]) -> dict[object, Found]:
    """Each patient's trend as of their last day; who never checked in is left out."""
    found: dict[object, Found] = {}
    for patient in patients:
        daily = patient.check_ins.filter(kind="daily", withdrawn_at=None)
        latest = daily.order_by("-local_date").first()
        if latest is None:
            continue
        end = latest.local_date
        raw = {name: np.full((1, DAYS), np.nan) for name in NAMES}
        recent = daily.filter(local_date__gt=end - timedelta(days=DAYS), local_date__lte=end)
        for check_in in recent.order_by("local_date", "recorded_at", "received_at"):
            column = DAYS - 1 - (end - check_in.local_date).days
            for name in NAMES:
                value = getattr(check_in, name)
                raw[name][0, column] = np.nan if value is None else float(value)
        judged = assess_window(raw, SIGNALS)
        found[patient.pk] = Found(
            judged.trend(0).value,
            bool(judged.above(Tier.NUDGE)[0]),
            bool(judged.above(Tier.FLAG)[0]),
        )
    return found
