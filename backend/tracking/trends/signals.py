"""What is watched, as data, and how an answer becomes badness: 0 best, 10 worst.

Whether someone used is not smoothed into a trend: it is acute, and answered at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from .arrays import Floats

WORST = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One item of the check-in: raw values from `best` to `worst` become 0 to 10.

    `population_sd` is the usual within-person SD, in badness points. Raw values beyond either end
    count as that end.
    """

    name: str
    unit: str
    best: float
    worst: float
    population_sd: float

    @property
    def reversed(self) -> bool:
        """Whether larger raw values are better."""
        return self.best > self.worst

    def badness(self, raw: Floats) -> Floats:
        """Raw values to badness; NaN stays NaN."""
        return np.clip((raw - self.best) / self._raw_per_point, 0.0, WORST)

    def raw(self, badness: Floats) -> Floats:
        """Badness back to the raw scale."""
        return self.best + badness * self._raw_per_point

    def raw_change(self, points: Floats) -> Floats:
        """A difference in badness as a difference on the raw scale."""
        return points * self._raw_per_point

    @property
    def _raw_per_point(self) -> float:
        return (self.worst - self.best) / WORST


# Sleep is read from 10 hours down to none, exercise from an hour a day down to none: more than that
# is neither better nor worse here.
SIGNALS: tuple[Signal, ...] = (
    Signal(name="mood", unit="points", best=10, worst=0, population_sd=1.25),
    Signal(name="craving", unit="points", best=0, worst=10, population_sd=1.25),
    Signal(name="sleep_hours", unit="hours", best=10, worst=0, population_sd=1.25),
    Signal(name="exercise_minutes", unit="minutes", best=60, worst=0, population_sd=2.5),
    Signal(name="confidence", unit="points", best=10, worst=0, population_sd=1.25),
)
BY_NAME: Mapping[str, Signal] = {signal.name: signal for signal in SIGNALS}


def chosen(names: Iterable[str]) -> tuple[Signal, ...]:
    """The named signals in their usual order; ValueError for a name that is not one of them."""
    wanted = set(names)
    unknown = wanted - BY_NAME.keys()
    if unknown:
        raise ValueError(f"not a signal: {sorted(unknown)}")
    return tuple(signal for signal in SIGNALS if signal.name in wanted)


def stacked_badness(raw: Mapping[str, Floats], signals: Iterable[Signal]) -> Floats:
    """People x days x signals of badness from raw arrays of people x days."""
    return np.stack([signal.badness(np.asarray(raw[signal.name])) for signal in signals], axis=2)
