"""Shapes of charts as SVG paths. Pure: numbers in, strings out.

One day is one unit wide, its value in the middle of it; heights are 0 (top) to 100 (bottom). The
page stretches a chart to its own size, so nothing here knows of pixels.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
HEIGHT = 100.0
# Keeps the dots of the lowest and the highest answer inside.
MARGIN = 6.0


@dataclass(frozen=True, slots=True)
class Scale:
    """The values at the bottom and at the top of a chart."""

    low: float
    high: float

    def y(self, value: float) -> float:
        """How far down a value stands."""
        share = (value - self.low) / (self.high - self.low)
        inside = HEIGHT - 2 * MARGIN
        return float(MARGIN + inside * (1 - min(max(share, 0.0), 1.0)))


def line_path(values: Floats, scale: Scale) -> str:
    """A line through neighbouring days; a missing day is a gap."""
    parts = []
    for run in _runs(~np.isnan(values)):
        steps = [f"{_short(day + 0.5)} {_short(scale.y(values[day]))}" for day in run]
        if len(steps) > 1:
            parts.append("M" + " L".join(steps))
    return "".join(parts)


def dots_path(values: Floats, scale: Scale, days: Collection[int] | None = None) -> str:
    """A dot for each value, of these days alone if given: strokes of no length with round ends."""
    return "".join(
        f"M{_short(day + 0.5)} {_short(scale.y(value))}h0"
        for day, value in enumerate(values)
        if not np.isnan(value) and (days is None or day in days)
    )


def band_path(low: Floats, high: Floats, scale: Scale) -> str:
    """The area between two lines, wherever both are known, from each day's start to its end."""
    parts = []
    for run in _runs(~(np.isnan(low) | np.isnan(high))):
        over = _steps(run, high, scale)
        under = _steps(run, low, scale)[::-1]
        parts.append("M" + " L".join(over + under) + "Z")
    return "".join(parts)


def _steps(run: Sequence[int], values: Floats, scale: Scale) -> list[str]:
    first, last = run[0], run[-1]
    points = [(float(first), values[first])]
    points += [(day + 0.5, values[day]) for day in run]
    points.append((last + 1.0, values[last]))
    return [f"{_short(x)} {_short(scale.y(value))}" for x, value in points]


def _runs(there: NDArray[np.bool_]) -> Iterator[list[int]]:
    """The unbroken runs of days for which it holds."""
    for holds, run in groupby(range(len(there)), key=lambda day: bool(there[day])):
        if holds:
            yield list(run)


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def percent(position: float, length: float) -> str:
    """A place along the axis as SVG writes it."""
    return f"{100 * position / length:.3f}%"
