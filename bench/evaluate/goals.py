"""The goals, what an earlier prototype reached, and what the literature reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Figure = float | None


@dataclass(frozen=True, slots=True)
class Goal:
    """One line of the table; `path` leads to the figure in evaluation.json."""

    measure: str
    path: tuple[str, ...]
    prototype: float
    goal: float
    smaller_is_better: bool = False

    def figure(self, found: Mapping[str, Any]) -> Figure:
        """What was measured, or None without the data for it."""
        here: Any = found
        for step in self.path:
            if step not in here:
                return None
            here = here[step]
        return float(here)

    def met(self, figure: float) -> bool:
        """Whether the goal is reached."""
        return figure <= self.goal if self.smaller_is_better else figure >= self.goal


def _found(data: str, scenario: str, load: str, what: str = "sensitivity") -> tuple[str, ...]:
    return (data, scenario, f"far_{load}", what)


GOALS = (
    Goal(
        "Real ratings, 2 SD over 14 days, 0.5 a month: sensitivity",
        _found("jang", "2sd", "0.5"),
        0.93,
        0.96,
    ),
    Goal("Real ratings, 1 SD, 0.5 a month: sensitivity", _found("jang", "1sd", "0.5"), 0.80, 0.86),
    Goal(
        "Simulated, 2 SD, 0.5 a month: sensitivity", _found("simulated", "2sd", "0.5"), 0.95, 0.97
    ),
    Goal(
        "Simulated, 2 SD, 0.25 a month: sensitivity", _found("simulated", "2sd", "0.25"), 0.90, 0.94
    ),
    Goal(
        "Simulated, 2 SD, missingness growing, 0.5 a month: sensitivity",
        _found("simulated", "informative_missing", "0.5"),
        0.91,
        0.94,
    ),
    Goal(
        "The same, trend and rule for absence sharing 0.5 a month: sensitivity",
        ("with_absence", "informative_missing", "either"),
        0.91,
        0.94,
    ),
    Goal(
        "Simulated, 2 SD ramp, 0.5 a month: median delay, days",
        _found("simulated", "2sd", "0.5", "delay_median"),
        9,
        7,
        smaller_is_better=True,
    ),
    Goal(
        "Simulated, 2 SD step, 0.5 a month: median delay, days",
        _found("simulated", "2sd_step", "0.5", "delay_median"),
        4,
        3,
        smaller_is_better=True,
    ),
    Goal(
        "Realised against configured load, held-out people, largest difference",
        ("calibration", "largest_difference"),
        0.30,
        0.15,
        smaller_is_better=True,
    ),
    Goal("Positive next week: AUROC", ("ctn0094", "next_week_positive", "auroc"), 0.857, 0.87),
    Goal(
        "Positive next week, not currently positive: AUROC",
        ("ctn0094", "next_week_positive_not_currently", "auroc"),
        0.797,
        0.81,
    ),
    Goal(
        "Positive next week, negative this week: AUROC",
        ("ctn0094", "next_week_positive_currently_negative", "auroc"),
        0.797,
        0.81,
    ),
)
