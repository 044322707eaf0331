"""Fit the limits that ship: `python -m bench.evaluate.fit_limits` rewrites trends/limits.json."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from backend.tracking.simulation import Scenario, simulate
from backend.tracking.trends.calibration import fit_limit
from backend.tracking.trends.evaluation import POINTS, USUAL_SD, score_days
from backend.tracking.trends.limits import PATH
from backend.tracking.trends.results import RULESET
from backend.tracking.trends.signals import SIGNALS

LOADS = (0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
PEOPLE = 20_000
DAYS = 90
SEED = 20_260_001


def fitted_row(signals: int, *, people: int, seed: int) -> list[float]:
    """Limits for each load with so many signals, counted on days when nothing was injected."""
    rng = np.random.default_rng([seed, signals])
    cohort = simulate(Scenario(size=2, signals=signals), people=people, days=DAYS, rng=rng)
    score, _ = score_days(cohort.values, population_sd=POINTS * USUAL_SD)
    quiet = np.arange(DAYS)[None, :] < cohort.onset[:, None]
    return [round(fit_limit(score, load, counted=quiet), 4) for load in LOADS]


def document(*, people: int = PEOPLE, seed: int = SEED) -> dict[str, Any]:
    """The content of limits.json."""
    rows = [fitted_row(count, people=people, seed=seed) for count in range(1, len(SIGNALS) + 1)]
    provenance = {
        "ruleset": RULESET,
        "cohort": "simulated, backend/tracking/simulation.py; half decline by 2 SD over 14 days",
        "counted": "alerts per 30 live patient-days before any decline, at most one in 7 days",
        "people": people,
        "days": DAYS,
        "seed": seed,
        "command": "python -m bench.evaluate.fit_limits",
    }
    return {"provenance": provenance, "loads": list(LOADS), "by_signals": rows}


if __name__ == "__main__":
    PATH.write_text(json.dumps(document(), indent=1) + "\n", encoding="utf-8")
    print(PATH.read_text(encoding="utf-8"))
