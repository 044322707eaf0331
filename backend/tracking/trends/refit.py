"""Limits for an organisation's own people, and what they would change before anyone adopts them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .arrays import Floats
from .calibration import alerts_per_month, fit_limit
from .evaluation import score_days
from .limits import Limits, parse_limits, shipped_limits
from .results import RULESET
from .signals import SIGNALS

LEAST_LIVE_DAYS = 3000


class TooFewDays(ValueError):
    """A limit fitted on so few patient-days would be chance."""


@dataclass(frozen=True, slots=True)
class Load:
    """Alerts a patient-month on the same history: wanted, with today's limits, with new ones.

    `people_*` had at least one.
    """

    wanted: float
    today: float
    proposed: float
    people_today: int
    people_proposed: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """New limits in the structure of `limits.json`, and their effect."""

    document: Mapping[str, Any]
    loads: tuple[Load, ...]

    @property
    def limits(self) -> Limits:
        """The proposed limits."""
        return parse_limits(self.document)


def propose(
    badness: Floats,
    *,
    population_sd: Floats | float,
    provenance: Mapping[str, Any],
    current: Limits | None = None,
) -> Proposal:
    """Fit limits on people x days x signals of badness (NaN missing).

    Every day counts as quiet: an organisation cannot tell which of its patients' declines were
    real, so that the loads are of all alerts. TooFewDays below 3,000 live patient-days.
    `provenance` says whose data and when; the number of people and days is added.
    """
    today = current or shipped_limits()
    score, live = score_days(badness, population_sd=population_sd)
    counted = ~np.isnan(score)
    if counted.sum() < LEAST_LIVE_DAYS:
        raise TooFewDays(f"{int(counted.sum())} live patient-days, {LEAST_LIVE_DAYS} needed")
    row = [fit_limit(score, load, counted=counted) for load in today.loads]
    document = {
        "provenance": {
            **provenance,
            "ruleset": RULESET,
            "people": len(badness),
            "live_patient_days": int(counted.sum()),
        },
        "loads": today.loads.tolist(),
        "by_signals": [[round(limit, 4) for limit in row] for _ in SIGNALS],
    }
    proposed = parse_limits(document)
    loads = [
        Load(
            float(load),
            alerts_per_month(score, today.at(load, live), counted=counted),
            alerts_per_month(score, proposed.at(load, live), counted=counted),
            _people(score, today.at(load, live)),
            _people(score, proposed.at(load, live)),
        )
        for load in today.loads
    ]
    return Proposal(document, tuple(loads))


def _people(score: Floats, limit: Floats) -> int:
    return int(np.any(score > limit, axis=1).sum())
