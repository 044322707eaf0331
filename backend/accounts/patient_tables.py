"""How an area says what of its tables belongs to a patient: what leaves in an export, what an
erasure takes away, and what stays, and why.

Each area lists its tables in its `patient_data.py`, those that others point to last. A test finds
every table with a patient that nobody has listed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db.models import Model, Q, QuerySet

Rows = QuerySet[Any]


class Fate(StrEnum):
    """What becomes of rows: gone, or there without their content, or there as they are."""

    DELETED = "deleted"
    BLANKED = "blanked"
    KEPT = "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientTable:
    """One table, or the part of it that `only` picks.

    `of` leads from a row to its patient's id, or finds a patient's rows. `erasure` is what happens
    when the patient erases what is theirs, `record_end` when the clinic need not keep its record
    any longer. `blank` are the values that rows are left with by either. `hidden` fields mean
    nothing to a person, or are secrets; `opened` reads what is sealed inside of another field.

    A table that is not exported, or whose rows stay as they are, says why.
    """

    model: type[Model]
    of: str | Callable[[UUID], Rows] = "patient_id"
    only: Q = field(default_factory=Q)
    erasure: Fate
    record_end: Fate = Fate.KEPT
    blank: Mapping[str, Any] = field(default_factory=dict)
    kept_because: str = ""
    is_history: bool = False
    name: str = ""
    hidden: frozenset[str] = frozenset()
    opened: Callable[[Any, dict[str, Any]], dict[str, Any]] | None = None
    not_exported_because: str = ""

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    def rows(self, patient_id: UUID) -> Rows:
        """This patient's."""
        if isinstance(self.of, str):
            found = self.model._base_manager.filter(**{self.of: patient_id})
        else:
            found = self.of(patient_id)
        return found.filter(self.only)

    def left(self, patient_id: UUID, fate: Fate) -> int:
        """How many rows are not as they should be after that."""
        rows = self.rows(patient_id)
        if fate is Fate.KEPT:
            return 0
        return (rows.exclude(**self.blank) if fate is Fate.BLANKED else rows).count()

    def export_items(self, patient_id: UUID) -> Iterator[dict[str, Any]]:
        """Each row as plain values by the names of its fields, in the order of its key."""
        names = [f.attname for f in self.model._meta.concrete_fields if f.name not in self.hidden]
        for row in self.rows(patient_id).order_by("pk").iterator(chunk_size=500):
            values = {name: getattr(row, name) for name in names}
            yield self.opened(row, values) if self.opened else values
