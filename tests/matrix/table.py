"""Reads the tables of `docs/authorisation.md`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "authorisation.md"
REST = "Methods without a row"
KINDS = {"Pages": "page", "Open to everyone": "open", "Health": "health"}


@dataclass(frozen=True)
class Row:
    """One line: what is asked, about whom, and what each caller is told."""

    kind: str
    call: str
    whose: str
    told: dict[str, str]

    @property
    def method(self) -> str:
        return self.call.partition(" ")[0]

    @property
    def route(self) -> str:
        return self.call.partition(" ")[2]


@cache
def sections() -> dict[str, list[list[str]]]:
    """The cells of each section's table, its two heading lines left out."""
    found: dict[str, list[list[str]]] = {}
    section = ""
    for line in DOCUMENT.read_text().splitlines():
        if line.startswith("## "):
            section = line.removeprefix("## ")
        elif line.startswith("| "):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            found.setdefault(section, []).append(cells)
    return found


@cache
def columns() -> dict[str, str]:
    """The short name of each column, and the caller it stands for."""
    _heading, *rows = sections()["The callers"]
    return {short: words.partition(":")[0] for short, words in rows}


@cache
def rows() -> tuple[Row, ...]:
    """Every row of every table but the last."""
    return tuple(row for row in _all_rows() if row.kind != REST)


@cache
def rest() -> dict[tuple[str, str], Row]:
    """What is told to methods without a row, by the method and the kind of route."""
    return {(row.call, row.whose): row for row in _all_rows() if row.kind == REST}


def _all_rows() -> list[Row]:
    return [row for section in list(sections())[1:] for row in _rows_of(section)]


def _rows_of(section: str) -> list[Row]:
    heading, *lines = sections()[section]
    shorts = heading[2:]
    assert shorts == list(columns()), f"{section}: the columns are not those of the callers"
    found = []
    for call, whose, *cells in lines:
        assert len(cells) == len(shorts), f"{call} ({whose}): {len(cells)} answers"
        told = {columns()[short]: cell for short, cell in zip(shorts, cells, strict=True)}
        found.append(Row(section, call, whose, told))
    return found


def kind_of(route: str) -> str:
    """`open`, `closed`, `page` or `health`, by the section that the route stands in."""
    kinds = {KINDS.get(row.kind, "closed") for row in rows() if row.route == route}
    assert len(kinds) == 1, f"{route} is {sorted(kinds) or 'in no section'}"
    return kinds.pop()
