"""What a diary's columns mean: a TOML file, read once and refused whole when anything is unclear.

The format is described in `docs/import.md`.
"""

from __future__ import annotations

import io
import string
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import msgspec
from msgspec import Struct, field

from backend.intake.bodies import ITEMS, CheckInBody
from backend.intake.diaries.scales import LISTS, SCALES, TEXTS, Scale

Plain = str | int | float | bool
Answer = Plain | list[str]


class MappingError(Exception):
    """The mapping cannot be used; the message is for the one who wrote it."""


class FilePart(Struct, forbid_unknown_fields=True, frozen=True):
    """How the file is written. Without a delimiter the one that fits the columns is taken."""

    delimiter: str = ""
    encoding: str = "utf-8-sig"
    decimal: Literal[".", ","] = "."
    missing: tuple[Plain, ...] = ("", "NA", "NaN")


class PersonPart(Struct, forbid_unknown_fields=True, frozen=True):
    """`reference` and the source's own id make the patient's `external_ref`."""

    column: str
    reference: str
    given_name: str
    adults: bool


class DayPart(Struct, forbid_unknown_fields=True, frozen=True):
    """A date where `format` is given, else a number of days.

    `anchor` says whose last day falls on the anchor date: each person's, or the file's alone.
    """

    column: str
    format: str = ""
    anchor: Literal["file", "person"] = "file"
    recorded_time: time = time(20)


class UnreportedPart(Struct, forbid_unknown_fields=True, frozen=True):
    """A row in which all of these columns are empty or 0 is a day that nobody reported."""

    columns: tuple[str, ...]


class ItemPart(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Where one item of the check-in comes from."""

    column: str = ""
    columns: tuple[str, ...] = ()
    combine: Literal["sum", "difference", "mean", "lowest", "highest"] | None = None
    scale_from: tuple[float, float] | None = field(name="from", default=None)
    scale_to: tuple[float, float] | None = field(name="to", default=None)
    clip: bool = False
    unit: Literal["hours", "minutes"] | None = None
    missing: tuple[Plain, ...] = ()
    answers: dict[str, Answer] = {}
    flags: dict[str, str] = {}
    value: Answer | None = None

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns it is made of; none for a constant."""
        return ((self.column,) if self.column else self.columns) or tuple(self.flags)

    @property
    def is_constant(self) -> bool:
        return self.value is not None


class DiaryMapping(Struct, forbid_unknown_fields=True, frozen=True):
    """`source` names the diary for ever: the ids of its check-ins are made from it."""

    source: str
    person: PersonPart
    day: DayPart
    items: dict[str, ItemPart]
    file: FilePart = FilePart()
    unreported: UnreportedPart = UnreportedPart(columns=())

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is read, each once."""
        items = (name for item in self.items.values() for name in item.sources)
        named = (self.person.column, self.day.column, *self.unreported.columns, *items)
        return tuple(dict.fromkeys(named))

    def given_name(self, *, number: int, source_id: str) -> str:
        """`number` counts the people in the order of the file, from 1."""
        return self.person.given_name.format(number=number, id=source_id)[:100]


def load_mapping(path: Path) -> DiaryMapping:
    """Reads and checks a mapping. Raises `MappingError` listing everything that is wrong."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MappingError(f"cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MappingError(f"is not TOML: {error}") from None
    return parse_mapping(document)


def parse_mapping(document: Mapping[str, Any]) -> DiaryMapping:
    """The mapping of a parsed TOML document. Raises `MappingError`."""
    try:
        mapping = msgspec.convert(document, DiaryMapping)
    except msgspec.ValidationError as error:
        raise MappingError(str(error)) from None
    problems = [*_general_problems(mapping), *_item_problems(mapping)]
    if problems:
        raise MappingError("\n  ".join(problems))
    return mapping


def _general_problems(mapping: DiaryMapping) -> Iterator[str]:
    if not mapping.source.strip() or not mapping.source.isprintable():
        yield "source: needs a name."
    if not mapping.person.reference:
        yield "person.reference: needs a prefix, so that two diaries never share a patient."
    if not mapping.person.adults:
        yield "person.adults: Handrail is for adults; say true when everyone in this diary is one."
    fields = {name for _, name, *_ in _template_fields(mapping.person.given_name)}
    if not fields or not fields <= {"number", "id"}:
        yield 'person.given_name: needs {number} or {id}, for example "Person {number:02d}".'
    if mapping.file.delimiter and len(mapping.file.delimiter) != 1:
        yield "file.delimiter: is one character."
    if not _is_encoding(mapping.file.encoding):
        yield "file.encoding: is not known."
    if not any(not item.is_constant for item in mapping.items.values()):
        yield "items: at least one must come from a column."


def _is_encoding(name: str) -> bool:
    try:
        io.TextIOWrapper(io.BytesIO(), encoding=name)
    except (LookupError, ValueError):
        return False
    return True


def _template_fields(template: str) -> list[tuple[str, str]]:
    try:
        parsed = [part for part in string.Formatter().parse(template) if part[1] is not None]
        template.format(number=1, id="x")
    except (ValueError, LookupError, AttributeError):
        return [("", "not a template")]
    return [(text, str(name)) for text, name, *_ in parsed]


def _item_problems(mapping: DiaryMapping) -> Iterator[str]:
    for name, item in mapping.items.items():
        if name not in ITEMS and name != "not_safe":
            yield f"items.{name}: is not an item of the check-in; these are: {', '.join(ITEMS)}."
            continue
        problems = list(_source_problems(name, item))
        if not problems and name in SCALES:
            problems = list(_scale_problems(item, SCALES[name]))
        problems = problems or list(_answer_problems(name, item))
        yield from (f"items.{name}: {problem}" for problem in problems)


def _source_problems(name: str, item: ItemPart) -> Iterator[str]:
    given = [bool(item.column), bool(item.columns), bool(item.flags), item.is_constant]
    if sum(given) != 1:
        yield "needs exactly one of column, columns, flags and value."
    if (len(item.columns) > 1) != (item.combine is not None):
        yield "columns and combine belong together, with two columns or more."
    if item.flags and name not in LISTS:
        yield "flags are for lists."
    if item.answers and not item.column:
        yield "answers belong to one column."
    if item.column and not item.answers and name not in (*SCALES, *TEXTS):
        yield "needs answers: what each value of the column means."
    if (item.scale_from or item.scale_to or item.unit or item.combine) and name not in SCALES:
        yield "from, to, unit and combine are for numbers."


def _scale_problems(item: ItemPart, scale: Scale) -> Iterator[str]:
    if (item.scale_from or item.unit) and (item.answers or item.is_constant):
        yield "from and unit read a number; answers and value do not."
    if item.unit and not scale.unit:
        yield "unit is for sleep_hours and exercise_minutes."
    if item.unit and item.scale_from:
        yield "has either a unit or a scale."
    if scale.unit and not (item.unit or item.scale_from or item.answers or item.is_constant):
        yield "needs its unit: hours or minutes."
    if item.scale_to and not item.scale_from:
        yield "to belongs to from."
    if item.scale_from and item.scale_from[0] == item.scale_from[1]:
        yield "from needs two different ends."
    if item.scale_to and any(not scale.holds(Decimal(str(end))) for end in item.scale_to):
        yield f"to goes from {scale.low} to {scale.high} at most."


def _answer_problems(name: str, item: ItemPart) -> Iterator[str]:
    given: list[Answer] = [*item.answers.values(), *([item.value] if item.is_constant else [])]  # type: ignore[list-item]
    given += [[tag] for tag in item.flags.values()]
    for answer in given:
        try:
            msgspec.convert({**_PROBE, name: answer}, CheckInBody)
        except msgspec.ValidationError as error:
            yield f"{answer!r} is no answer to it: {str(error).split(' - at')[0]}."


_PROBE: dict[str, Any] = {
    "id": UUID(int=0),
    "kind": "daily",
    "local_date": datetime(2020, 1, 1, tzinfo=UTC).date(),
    "recorded_at": datetime(2020, 1, 1, tzinfo=UTC),
}
