"""The items of a check-in as codes: ours, and a LOINC code where one means the same.

There is none for a single item about mood or craving, so none is made up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from backend.fhir.kinds import Reader, concept
from backend.tracking.models import CheckIn

CHECK_IN = "urn:handrail:check-in"
SUBSTANCE = "urn:handrail:substance"
SYMPTOM = "urn:handrail:withdrawal-symptom"
EXERCISE = "urn:handrail:exercise"
LOINC = "http://loinc.org"
UNITS = "http://unitsofmeasure.org"

Members = dict[str, Any]


@dataclass(frozen=True)
class Item:
    """One item. `value` gives the members of its Observation, nothing where it was skipped.

    `is_answered` says the same to the database.
    """

    code: str
    words: Promise
    is_answered: Q
    value: Callable[[CheckIn], Members]
    loinc: tuple[str, str] | None = None
    is_note: bool = False

    @property
    def codings(self) -> list[tuple[str, str]]:
        """System and code of each, the one known everywhere first."""
        ours = (CHECK_IN, self.code)
        return [(LOINC, self.loinc[0]), ours] if self.loinc else [ours]

    def concept(self) -> Members:
        ours = concept(CHECK_IN, self.code, self.words)
        if self.loinc is None:
            return ours
        code, display = self.loinc
        known = {"system": LOINC, "code": code, "display": display}
        return {**ours, "coding": [known, *ours["coding"]]}

    def shown_to(self, reader: Reader) -> Q:
        """The check-ins in which this reader sees it: a note is for whom it was shared with."""
        is_kept = self.is_note and not reader.is_self
        return self.is_answered & Q(note_shared=True) if is_kept else self.is_answered

    def members(self, row: CheckIn, reader: Reader) -> Members:
        if self.is_note and not (reader.is_self or row.note_shared):
            return {}
        return self.value(row)


def _plain(field: str, kind: str) -> Callable[[CheckIn], Members]:
    def value(row: CheckIn) -> Members:
        answer = getattr(row, field)
        return {} if answer in (None, "") else {kind: answer}

    return value


def _quantity(answer: Decimal | int | None, *, unit: str) -> Members:
    if answer is None:
        return {}
    measured = {"value": float(answer), "unit": unit, "system": UNITS, "code": unit}
    return {"valueQuantity": measured}


def _parts(code: str, kind: str, values: Iterable[Any]) -> list[Members]:
    return [{"code": concept(CHECK_IN, code), kind: value} for value in values]


def _coded(code: str, system: str, values: Iterable[str]) -> list[Members]:
    return _parts(code, "valueCodeableConcept", (concept(system, value) for value in values))


def _with_parts(members: Members, *parts: list[Members]) -> Members:
    components = [part for group in parts for part in group]
    return {**members, "component": components} if components else members


def _exercise(row: CheckIn) -> Members:
    kinds = [row.exercise_kind] if row.exercise_kind else []
    minutes = _quantity(row.exercise_minutes, unit="min")
    return _with_parts(minutes, _coded("exercise-kind", EXERCISE, kinds))


def _use(row: CheckIn) -> Members:
    days = [row.use_on.isoformat()] if row.use_on else []
    return _with_parts(
        _plain("use_reported", "valueBoolean")(row),
        _coded("use-substance", SUBSTANCE, row.use_substances),
        _parts("use-on", "valueDateTime", days),
    )


def _withdrawal(row: CheckIn) -> Members:
    return _with_parts(
        _plain("withdrawal_reported", "valueBoolean")(row),
        _coded("withdrawal-substance", SUBSTANCE, row.withdrawal_substances),
        _coded("withdrawal-symptom", SYMPTOM, row.withdrawal_symptoms),
    )


def _number(code: str, field: str, words: Promise) -> Item:
    answered = Q(**{f"{field}__isnull": False})
    return Item(code, words, answered, _plain(field, "valueInteger"))


ITEMS = (
    Item(
        "not-safe",
        _("Not safe now"),
        Q(not_safe=True),
        lambda row: {"valueBoolean": True} if row.not_safe else {},
    ),
    _number("mood", "mood", _("Mood")),
    _number("craving", "craving", _("Craving")),
    _number("confidence", "confidence", _("Confidence")),
    Item(
        "sleep-hours",
        _("Sleep"),
        Q(sleep_hours__isnull=False),
        lambda row: _quantity(row.sleep_hours, unit="h"),
        loinc=("93832-4", "Sleep duration"),
    ),
    _number("sleep-quality", "sleep_quality", _("Quality of sleep")),
    Item(
        "exercise-minutes",
        _("Exercise"),
        Q(exercise_minutes__isnull=False) | ~Q(exercise_kind=""),
        _exercise,
        loinc=("55411-3", "Exercise duration"),
    ),
    Item(
        "use-reported",
        _("Use since the last check-in"),
        Q(use_reported__isnull=False) | ~Q(use_substances=[]) | Q(use_on__isnull=False),
        _use,
    ),
    Item(
        "withdrawal-reported",
        _("Withdrawal since the last check-in"),
        Q(withdrawal_reported__isnull=False)
        | ~Q(withdrawal_substances=[])
        | ~Q(withdrawal_symptoms=[]),
        _withdrawal,
    ),
    Item(
        "cues",
        _("What set a craving off"),
        ~Q(cues=[]),
        lambda row: _with_parts({}, _parts("cue", "valueString", row.cues)),
    ),
    Item(
        "helped",
        _("What helped"),
        ~Q(helped=[]),
        lambda row: _with_parts({}, _parts("helped", "valueString", row.helped)),
    ),
    Item("note", _("Note"), ~Q(note=""), _plain("note", "valueString"), is_note=True),
)
BY_CODE = {item.code: item for item in ITEMS}
