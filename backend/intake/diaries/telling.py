"""What an import shows: a bar on a terminal, plain lines elsewhere, and a table at the end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sized
from dataclasses import dataclass, field
from datetime import date
from typing import TextIO

from backend.intake.diaries.outcome import Imported

WIDTH = 24
_BAR_EVERY_S = 0.1
_LINE_EVERY_S = 5.0


@dataclass(slots=True)
class Totals:
    """The sums over all people so far."""

    people: int = 0
    new_people: int = 0
    rows: int = 0
    reported: int = 0
    unreported: int = 0
    without_row: int = 0
    stored: int = 0
    already_there: int = 0
    clipped: int = 0
    historical_alerts: int = 0
    bad: int = 0
    first_on: date | None = None
    last_on: date | None = None
    trends: Counter[str] = field(default_factory=Counter)

    def add(self, one: Imported) -> None:
        """Bad rows are counted where they are told."""
        self.people += 1
        self.new_people += one.is_new
        self.rows += one.rows
        self.reported += one.reported
        self.unreported += one.unreported
        self.without_row += one.without_row
        self.stored += one.stored
        self.already_there += one.already_there
        self.clipped += one.clipped
        self.historical_alerts += one.historical_alerts
        self.trends[one.trend or "unknown"] += 1
        self.first_on = min(filter(None, (self.first_on, one.first_on)), default=None)
        self.last_on = max(filter(None, (self.last_on, one.last_on)), default=None)


class Progress:
    """How far it is, on `stream`."""

    def __init__(self, stream: TextIO, *, rows: int, people: Sized) -> None:
        self._stream, self._rows, self._people = stream, max(rows, 1), len(people)
        self._is_terminal = stream.isatty()
        self._began = self._shown_at = time.monotonic()
        self._shown = ""

    def show(self, totals: Totals) -> None:
        """At most ten times a second on a terminal, every five seconds elsewhere."""
        done = min(totals.rows / self._rows, 1.0)
        moment = time.monotonic()
        every = _BAR_EVERY_S if self._is_terminal else _LINE_EVERY_S
        if moment - self._shown_at < every and done < 1:
            return
        self._shown_at = moment
        text = f"{done:4.0%}  {totals.people:,} of {self._people:,} people, {totals.stored:,} days"
        if not self._is_terminal:
            self._stream.write(f"{text.strip()}\n")
            return
        full = round(done * WIDTH)
        left = (moment - self._began) * (1 - done) / max(done, 0.001)
        self._draw(f"[{'#' * full}{'.' * (WIDTH - full)}] {text}, {left:.0f} s left")

    def say(self, line: str) -> None:
        """A line of its own, above the bar."""
        shown = self._shown
        self._draw("")
        self._stream.write(f"{line}\n")
        self._draw(shown)

    def close(self) -> None:
        """Leaves the last bar standing."""
        if self._shown:
            self._stream.write("\n")
            self._shown = ""

    def _draw(self, text: str) -> None:
        if self._is_terminal and (text or self._shown):
            self._stream.write(f"\r{text:<{len(self._shown)}}" + ("" if text else "\r"))
            self._stream.flush()
            self._shown = text


def summary(totals: Totals, *, is_dry_run: bool) -> str:
    """The table at the end, and one sentence."""
    stored = "would be stored" if is_dry_run else "stored now"
    lines: list[tuple[str, int, str]] = [
        ("people", totals.people, f"{totals.new_people:,} new"),
        ("rows", totals.rows, "that could be read"),
        ("reported days", totals.reported, _span(totals)),
        (f"  {stored}", totals.stored, ""),
        ("  already there", totals.already_there, ""),
        ("unreported days", totals.unreported, "a row, but no answer in it: missing"),
        ("days without a row", totals.without_row, "between first and last: missing"),
        ("values clipped", totals.clipped, "to the ends of their scale"),
        ("bad rows", totals.bad, "left out; their lines are listed above"),
    ]
    if not is_dry_run:
        lines.append(("historical alerts", totals.historical_alerts, "new; closed, nobody told"))
        lines += [
            (f"trend {name}", count, "people") for name, count in sorted(totals.trends.items())
        ]
    table = "\n".join(f"{name:<22}{count:>9,}  {note}".rstrip() for name, count, note in lines)
    return f"{table}\n{_sentence(totals, is_dry_run=is_dry_run)}"


def _span(totals: Totals) -> str:
    return f"{totals.first_on} to {totals.last_on}" if totals.first_on else ""


def _sentence(totals: Totals, *, is_dry_run: bool) -> str:
    if is_dry_run:
        return "Nothing was stored: this was a dry run."
    if not totals.stored and not totals.new_people:
        return "Nothing changed: everything that could be read was already there."
    return "Done. Nobody was told anything."
