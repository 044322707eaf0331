"""The limits in use: shipped as data, fitted on simulated people, looked up by the load wanted.

`limits.json` says how they were fitted. Between the fitted loads the limit is linear in the
logarithm of the load; beyond them it is the nearest one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from .arrays import Floats, Ints
from .results import Tier

PATH = Path(__file__).with_name("limits.json")
TARGETS: Mapping[Tier, float] = {Tier.NUDGE: 1.0, Tier.FLAG: 0.25}


@dataclass(frozen=True, slots=True)
class Limits:
    """A row of limits per number of live signals, a column per load (alerts a patient-month)."""

    loads: Floats
    by_signals: Floats
    provenance: Mapping[str, Any]

    def at(self, alerts_per_month: float, live: Ints) -> Floats:
        """The limit for each entry of `live`; NaN where no signal is live."""
        if not alerts_per_month > 0:
            raise ValueError("alerts_per_month must be above 0")
        wanted = np.log(alerts_per_month)
        row = np.array(
            [np.interp(wanted, np.log(self.loads), limits) for limits in self.by_signals]
        )
        most = len(row)
        return np.where(live > 0, row[np.clip(live, 1, most) - 1], np.nan)


def parse_limits(document: Mapping[str, Any]) -> Limits:
    """Limits from the structure of `limits.json`."""
    return Limits(
        np.array(document["loads"], dtype=float),
        np.array(document["by_signals"], dtype=float),
        document["provenance"],
    )


@cache
def shipped_limits() -> Limits:
    """The limits that come with this version."""
    return parse_limits(json.loads(PATH.read_text(encoding="utf-8")))
