"""One row of a diary as the items of a check-in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from backend.intake.diaries.mapping import Answer, DiaryMapping, ItemPart, Plain
from backend.intake.diaries.scales import SCALES, TEXTS, Scale, converted, mapped

_NUMBER = re.compile(r"[-+]?([0-9]{1,15}(\.[0-9]{0,20})?|\.[0-9]{1,20})([eE][-+]?[0-9]{1,2})?")


class Unreadable(Exception):
    """A value that the mapping gives no meaning to. Names the column, never the value."""


@dataclass(frozen=True, slots=True)
class Answers:
    """`items` is None for a day that nobody reported; `clipped` counts values moved to an end."""

    items: dict[str, Any] | None
    clipped: int = 0


class Reader:
    """A mapping, prepared for many rows."""

    def __init__(self, mapping: DiaryMapping) -> None:
        self._mapping = mapping
        self._missing = _Values(mapping.file.missing)
        self._items = [
            (name, item, _Values(item.missing), {_key(k): v for k, v in item.answers.items()})
            for name, item in mapping.items.items()
        ]

    def read(self, values: Mapping[str, str]) -> Answers:
        """The items of one row. Raises `Unreadable`."""
        if self._is_unreported(values):
            return Answers(None)
        items: dict[str, Any] = {}
        constants: dict[str, Any] = {}
        clipped = 0
        for name, item, missing, answers in self._items:
            if item.is_constant:
                constants[name] = item.value
                continue
            texts = [self._present(values[column], missing) for column in item.sources]
            if None in texts:
                continue
            found = [text for text in texts if text is not None]
            if name in SCALES and not answers:
                items[name], is_clipped = self._number(item, found, SCALES[name])
                clipped += is_clipped
            else:
                items[name] = self._other(name, item, found, answers)
        # What was never asked is no sign that somebody answered.
        return Answers({**constants, **items} if items else None, clipped)

    def _is_unreported(self, values: Mapping[str, str]) -> bool:
        columns = self._mapping.unreported.columns
        return bool(columns) and all(
            self._missing.holds(values[column]) or _ZERO.holds(values[column]) for column in columns
        )

    def _present(self, text: str, missing: _Values) -> str | None:
        return None if self._missing.holds(text) or missing.holds(text) else text

    def _number(self, item: ItemPart, texts: list[str], scale: Scale) -> tuple[int | float, bool]:
        numbers = [
            self._parsed(text, column) for text, column in zip(texts, item.sources, strict=True)
        ]
        value = _combined(numbers, item.combine)
        if item.unit:
            value = converted(value, unit=item.unit, scale=scale)
        if item.scale_from:
            value = mapped(value, item.scale_from, item.scale_to or (scale.low, scale.high))
        onto = item.scale_to or (scale.low, scale.high)
        low, high = sorted(Decimal(str(end)) for end in onto)
        inside = min(max(value, low), high)
        if inside != value and not item.clip:
            raise Unreadable(f"{', '.join(item.sources)}: beyond the ends of its scale")
        rounded = scale.rounded(inside)
        whole = scale.step == scale.step.to_integral_value()
        return (int(rounded) if whole else float(rounded)), inside != value

    def _parsed(self, text: str, column: str) -> Decimal:
        plain = text.replace(",", ".") if self._mapping.file.decimal == "," else text
        if not _NUMBER.fullmatch(plain):
            raise Unreadable(f"{column}: not a number")
        return Decimal(plain)

    def _other(
        self, name: str, item: ItemPart, texts: list[str], answers: Mapping[str, Answer]
    ) -> Answer:
        if item.flags:
            pairs = zip(item.flags.values(), texts, strict=True)
            return [tag for tag, text in pairs if not _ZERO.holds(text)]
        if name in TEXTS and not answers:
            return self._text(texts[0], item.column)
        answer = answers.get(_key(texts[0]))
        if answer is None:
            raise Unreadable(f"{item.column}: a value without a meaning in answers")
        return answer

    def _text(self, text: str, column: str) -> str:
        # Bytes that are not in the file's encoding were kept as lone surrogates.
        if "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
            raise Unreadable(f"{column}: not a text")
        return text


class _Values:
    """A set of values in which 0, 0.0 and "0" are one."""

    def __init__(self, values: Iterable[Plain]) -> None:
        self._keys = frozenset(_key(str(value)) for value in values)

    def holds(self, text: str) -> bool:
        return _key(text) in self._keys


def _key(text: str) -> str:
    if not _NUMBER.fullmatch(text):
        return text
    # Plus zero makes one of 0 and -0.
    return str((Decimal(text) + 0).normalize() + 0)


_ZERO = _Values(["0"])


def _combined(numbers: list[Decimal], how: str | None) -> Decimal:
    first, *rest = numbers
    if how == "difference":
        return first - sum(rest, Decimal(0))
    if how == "mean":
        return sum(numbers, Decimal(0)) / len(numbers)
    if how == "lowest":
        return min(numbers)
    if how == "highest":
        return max(numbers)
    return sum(numbers, Decimal(0))
