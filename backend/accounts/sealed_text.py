"""A column for what somebody wrote: sealed in the table, text in Python."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models.query_utils import DeferredAttribute

from backend.accounts import patient_keys

if TYPE_CHECKING:
    _TextField = models.Field[str, str]
else:
    _TextField = models.Field


class SealedBytes(bytes):
    """What stands in the table. Opened when somebody reads the attribute, and not before."""

    def __repr__(self) -> str:
        return "<sealed>"

    __str__ = __repr__


class _Opened(DeferredAttribute):
    field: SealedText

    def __get__(self, instance: models.Model | None, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        if instance is None or not isinstance(value, SealedBytes):
            return value
        text = self.field.open(instance, value)
        instance.__dict__[self.field.attname] = text
        return text

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class SealedText(_TextField):
    """Reads and writes as text. Only "empty" and "not empty" can be asked of the database.

    `patient` is the way from a row to its patient's id. A row needs its own id before it is
    saved, because a sealed text is bound to it. Where many rows are written at once, seal their
    texts together with `patient_keys.seal_all`.
    """

    descriptor_class = _Opened
    empty_strings_allowed = True

    def __init__(self, *, patient: str = "patient_id", **options: Any) -> None:
        self.patient = patient
        super().__init__(**{"blank": True, "default": "", **options})

    def deconstruct(self) -> Any:
        name, path, arguments, options = super().deconstruct()
        if self.patient != "patient_id":
            options["patient"] = self.patient
        return name, path, arguments, options

    def get_internal_type(self) -> str:
        return "BinaryField"

    def open(self, instance: models.Model, sealed: SealedBytes) -> str:
        """Raises `UnreadableError`."""
        return patient_keys.unseal(*self._place(instance), bytes(sealed))

    def from_db_value(self, value: Any, _expression: object, _connection: object) -> Any:
        return SealedBytes(value) if value else ""

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = model_instance.__dict__.get(self.attname, "")
        if not value or isinstance(value, bytes):
            return value
        return patient_keys.seal(*self._place(model_instance), value)

    def get_prep_value(self, value: Any) -> Any:
        if isinstance(value, str) and value:
            raise TypeError(f"{self.name} is sealed: it can be asked for whether it is empty alone")
        return bytes(value) if isinstance(value, bytes) else b""

    def _place(self, instance: models.Model) -> tuple[Any, str, str, Any]:
        if instance.pk is None:
            raise TypeError(f"{self.name} is sealed to its row, which has no id yet")
        table = instance._meta.db_table
        return attrgetter(self.patient)(instance), table, str(self.column), instance.pk
