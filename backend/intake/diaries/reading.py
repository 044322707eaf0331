"""A delimited file, person by person, however large: what cannot be read is told by its line."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from backend.intake.diaries.mapping import DiaryMapping

DELIMITERS = "\t,;|"
ID_LENGTH = 80
LONGEST_FILE_DAYS = 40 * 366
_DAY_NUMBER = re.compile(r"[-+]?[0-9]{1,6}(\.0*)?")


class DiaryError(Exception):
    """The file as a whole cannot be read."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is left out. `reason` names columns and never a value: it may be about health."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """One day of one person. `day` is the number in the file, or a date's proleptic ordinal."""

    line: int
    person: str
    day: int
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class Person:
    """Everyone's rows in the order of the file. `number` counts the people from 1."""

    source_id: str
    number: int
    rows: list[Row]


@dataclass(slots=True)
class Survey:
    """What a first pass over the file found; `rows` counts the bad ones too."""

    rows: int = 0
    numbers: dict[str, int] = field(default_factory=dict)
    days: Counter[int] = field(default_factory=Counter)
    is_grouped: bool = True

    @property
    def last_day(self) -> int | None:
        """The last day of the file; one mistyped day does not move everybody's."""
        if not self.days:
            return None
        seen, half = 0, self.days.total() // 2
        for middle in sorted(self.days):
            seen += self.days[middle]
            if seen > half:
                break
        return max(day for day in self.days if abs(day - middle) <= LONGEST_FILE_DAYS)


class Diary:
    """One file under one mapping, read twice: once to survey it, once to hand its people out."""

    def __init__(self, path: Path, mapping: DiaryMapping) -> None:
        """Reads the header. Raises `DiaryError` when a column of the mapping is not there."""
        self._path, self._mapping = path, mapping
        with self._open() as stream:
            header = stream.readline()
        self._delimiter = mapping.file.delimiter or _fitting(header, mapping.columns)
        self._header = next(csv.reader([header], delimiter=self._delimiter), [])
        self._header = [name.strip() for name in self._header]
        _check_header(self._header, mapping.columns)
        self._places = {name: self._header.index(name) for name in mapping.columns}

    def survey(self) -> Survey:
        """Counts, the order of people, and the days, holding one id a person and each day once."""
        found, last_person = Survey(), ""
        for row in self._rows():
            found.rows += 1
            if isinstance(row, BadRow):
                continue
            if row.person not in found.numbers:
                found.numbers[row.person] = len(found.numbers) + 1
            elif row.person != last_person:
                found.is_grouped = False
            last_person = row.person
            found.days[row.day] += 1
        return found

    def people(self, survey: Survey, on_bad: Callable[[BadRow], None]) -> Iterator[Person]:
        """One person after the other. A file that is not sorted by person is held in memory."""
        waiting: dict[str, list[Row]] = {}
        for row in self._rows():
            if isinstance(row, BadRow):
                on_bad(row)
                continue
            if survey.is_grouped and waiting and row.person not in waiting:
                yield from _as_people(waiting, survey)
                waiting = {}
            waiting.setdefault(row.person, []).append(row)
        yield from _as_people(waiting, survey)

    def bad_rows(self) -> Iterator[BadRow]:
        """The rows that have no person or no day, in the order of the file."""
        return (row for row in self._rows() if isinstance(row, BadRow))

    def _rows(self) -> Iterator[Row | BadRow]:
        with self._open() as stream:
            # Strict: a stray quotation mark is reported instead of swallowing the lines after it.
            reader = csv.reader(stream, delimiter=self._delimiter, strict=True)
            next(reader, None)
            while True:
                line = reader.line_num + 1
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    yield BadRow(line, f"is not well-formed: {error}")
                    continue
                if any(cell.strip() for cell in cells):
                    yield self._read(line, cells)

    def _read(self, line: int, cells: list[str]) -> Row | BadRow:
        if len(cells) != len(self._header):
            return BadRow(line, f"has {len(cells)} columns, the header has {len(self._header)}")
        values = {name: cells[place].strip() for name, place in self._places.items()}
        person = values[self._mapping.person.column]
        if not person or len(person) > ID_LENGTH or not person.isprintable():
            return BadRow(line, f"{self._mapping.person.column}: not an id")
        day = _day(values[self._mapping.day.column], self._mapping.day.format)
        if day is None:
            return BadRow(line, f"{self._mapping.day.column}: not a day")
        return Row(line, person, day, values)

    @contextmanager
    def _open(self) -> Iterator[io.TextIOWrapper]:
        try:
            with self._path.open("rb") as raw:
                is_gzip = raw.read(2) == b"\x1f\x8b"
                raw.seek(0)
                source = gzip.GzipFile(fileobj=raw) if is_gzip else raw
                # What is not in this encoding stays visible as such and is refused where it counts.
                with io.TextIOWrapper(
                    source,
                    encoding=self._mapping.file.encoding,
                    errors="surrogateescape",
                    newline="",
                ) as stream:
                    yield stream
        except (OSError, EOFError, zlib.error, UnicodeError) as error:
            # gzip's own errors say what is broken in a plain string.
            reason = getattr(error, "strerror", None) or str(error)
            raise DiaryError(f"cannot be read: {reason}") from None


def _as_people(waiting: dict[str, list[Row]], survey: Survey) -> Iterator[Person]:
    for source_id, rows in waiting.items():
        yield Person(source_id, survey.numbers[source_id], rows)


def _fitting(header: str, wanted: tuple[str, ...]) -> str:
    """The delimiter under which most of the wanted columns are there."""

    def found(delimiter: str) -> int:
        names = {name.strip() for name in next(csv.reader([header], delimiter=delimiter), [])}
        return len(names.intersection(wanted))

    return max(DELIMITERS, key=found)


def _check_header(header: list[str], wanted: tuple[str, ...]) -> None:
    counts = Counter(header)
    missing = [name for name in wanted if not counts[name]]
    twice = [name for name in wanted if counts[name] > 1]
    if missing:
        raise DiaryError(
            f"has no column {', '.join(missing)}; it has: {', '.join(header) or 'nothing'}"
        )
    if twice:
        raise DiaryError(f"has more than one column {', '.join(twice)}")


def _day(text: str, pattern: str) -> int | None:
    if not pattern:
        return int(float(text)) if _DAY_NUMBER.fullmatch(text) else None
    try:
        return _date(text, pattern).toordinal()
    except ValueError:
        return None


def _date(text: str, pattern: str) -> date:
    if pattern == "%Y-%m-%d":
        return date.fromisoformat(text)
    return datetime.strptime(text, pattern).date()  # noqa: DTZ007 - a day, not a moment
