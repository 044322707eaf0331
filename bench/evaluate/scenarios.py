"""What is injected, and at which loads the detectors are compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np

from backend.tracking.simulation import Scenario

from .protocol import Result

LOADS = (0.25, 0.5, 1.0)
SCENARIOS: Mapping[str, Scenario] = {
    "1sd": Scenario(size=1),
    "2sd": Scenario(size=2),
    "2sd_step": Scenario(size=2, step=True),
    "informative_missing": Scenario(size=2, growing_missingness=True),
}

Figures = dict[str, float]


def load_key(load: float) -> str:
    """far_0.25, far_0.5, far_1."""
    return f"far_{load:g}"


def summary(results: Sequence[Result]) -> Figures:
    """Means over seeds, and the spread of the sensitivity between them."""
    figures = {
        name: round(float(np.nanmean([asdict(result)[name] for result in results])), 4)
        for name in asdict(results[0])
    }
    spread = float(np.std([result.sensitivity for result in results]))
    return figures | {"sensitivity_sd": round(spread, 4)}
