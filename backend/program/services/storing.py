"""Storing what a care team enters, once for everything: a known id is a replay or a conflict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Model
from django.utils.translation import gettext as _

from backend import errors
from backend.accounts import audit
from backend.accounts.actor import Actor
from backend.accounts.models import Patient

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Stored(Generic[Row]):
    """`is_new` is false when the same stood already."""

    row: Row
    is_new: bool


def find_replay(
    kind: type[Row], row_id: UUID, *, patient: Patient, said: Mapping[str, Any], of: str = ""
) -> Row | None:
    """The row that an earlier request stored under this id; None for a new id.

    `said` is what it must say to be the same, `of` leads to the row that names the patient. Raises
    `Conflict`, with the stored copy where it is this patient's.
    """
    known = kind._default_manager.filter(pk=row_id).first()
    if known is None:
        return None
    owner: Any = getattr(known, of) if of else known
    if owner.patient_id != patient.pk:
        raise id_in_use()
    if any(getattr(known, name) != value for name, value in said.items()):
        raise errors.Conflict(
            "id_conflict",
            _("This id is stored with other content. Nothing was overwritten."),
            extra={"stored": known},
        )
    return known


def insert(row: Model) -> None:
    """Raises `Conflict` for an id that somebody else's request has just taken."""
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:  # for another patient: this one's lock says nothing
        raise id_in_use() from None


def id_in_use() -> errors.Conflict:
    """The refusal of an id that stands for something else; it tells nothing of that."""
    return errors.Conflict("id_in_use", _("This id belongs to something else."))


def audit_act(actor: Actor, action: str, *, patient_id: UUID, row: Model, **facts: Any) -> None:
    """One act of the care team, about the row it changed. `facts` take ids and counts alone."""
    audit.record(
        actor=actor,
        action=action,
        patient_id=patient_id,
        object_kind=action.partition(".")[0],
        object_id=row.pk,
        facts=facts,
    )
