"""The scales that a check-in's numbers are on, and how a diary's number comes to lie on one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal


@dataclass(frozen=True, slots=True)
class Scale:
    """From `low` to `high` by `step`. `unit` is set for durations."""

    low: int
    high: int
    step: Decimal = Decimal(1)
    unit: str = ""

    def holds(self, value: Decimal) -> bool:
        return self.low <= value <= self.high

    def rounded(self, value: Decimal) -> Decimal:
        """To the nearest step; the half goes up."""
        steps = (value / self.step).quantize(Decimal(1), rounding=ROUND_HALF_UP)
        return steps * self.step


RATING = Scale(0, 10)
SCALES: Mapping[str, Scale] = {
    "mood": RATING,
    "craving": RATING,
    "confidence": RATING,
    "sleep_quality": Scale(1, 5),
    "sleep_hours": Scale(0, 24, Decimal("0.25"), "hours"),
    "exercise_minutes": Scale(0, 1440, Decimal(1), "minutes"),
}
LISTS = frozenset(
    {"use_substances", "withdrawal_substances", "withdrawal_symptoms", "cues", "helped"}
)
TEXTS = frozenset({"note"})
_MINUTES_AN_HOUR = Decimal(60)


def converted(value: Decimal, *, unit: str, scale: Scale) -> Decimal:
    """A duration in `unit` in the scale's own."""
    if unit == scale.unit:
        return value
    return value / _MINUTES_AN_HOUR if unit == "minutes" else value * _MINUTES_AN_HOUR


def mapped(value: Decimal, ends: tuple[float, float], onto: tuple[float, float]) -> Decimal:
    """The straight line that takes the first ends to the second ones."""
    low, high = (Decimal(str(end)) for end in ends)
    to_low, to_high = (Decimal(str(end)) for end in onto)
    return to_low + (value - low) * (to_high - to_low) / (high - low)
