"""Line charts as SVG, plain enough to read in a diff."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 60, 150, 40, 50
# Okabe and Ito's colours, told apart by colour-blind readers too; each line has its own dashes.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9")
DASHES = ("", "6 3", "2 3", "8 3 2 3", "1 4")
TICKS = 5


@dataclass(frozen=True, slots=True)
class Axis:
    """A title and the values at both ends."""

    title: str
    low: float
    high: float

    def share(self, value: float) -> float:
        """Where a value lies, 0 to 1."""
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Evenly spaced values from end to end."""
        return [self.low + (self.high - self.low) * n / TICKS for n in range(TICKS + 1)]


def line_chart(
    title: str, across: Axis, up: Axis, lines: Mapping[str, Sequence[tuple[float, float]]]
) -> str:
    """One line per name, through (across, up) points."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="sans-serif" font-size="12" role="img" aria-label="{escape(title)}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="22" font-size="14">{escape(title)}</text>',
        *_grid(across, up),
    ]
    for number, (name, points) in enumerate(lines.items()):
        path = " ".join(f"{_x(across, x):.1f},{_y(up, y):.1f}" for x, y in points)
        style = f'stroke="{COLOURS[number % 5]}" stroke-dasharray="{DASHES[number % 5]}"'
        legend = TOP + 16 + 20 * number
        right = WIDTH - RIGHT + 12
        parts += [
            f'<polyline points="{path}" fill="none" stroke-width="2" {style}/>',
            f'<line x1="{right}" y1="{legend}" x2="{right + 28}" y2="{legend}" '
            f'stroke-width="2" {style}/>',
            f'<text x="{right + 34}" y="{legend + 4}">{escape(name)}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])


def _grid(across: Axis, up: Axis) -> list[str]:
    parts = []
    for value in across.ticks():
        x = _x(across, value)
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 30}" text-anchor="middle">{value:g}</text>')
        parts.append(_rule(x, _y(up, up.low), x, _y(up, up.high)))
    for value in up.ticks():
        y = _y(up, value)
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:.2g}</text>')
        parts.append(_rule(_x(across, across.low), y, _x(across, across.high), y))
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(
        f'<text x="{middle}" y="{HEIGHT - 10}" text-anchor="middle">{escape(across.title)}</text>'
    )
    parts.append(
        f'<text transform="translate(16 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">'
        f"{escape(up.title)}</text>"
    )
    return parts


def _rule(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#ddd"/>'


def _x(axis: Axis, value: float) -> float:
    return LEFT + axis.share(value) * (WIDTH - LEFT - RIGHT)


def _y(axis: Axis, value: float) -> float:
    return HEIGHT - BOTTOM - axis.share(value) * (HEIGHT - TOP - BOTTOM)
