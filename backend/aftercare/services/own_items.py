"""Storing, changing and removing what is the patient's own, once for every kind of it.

Each is one transaction under the patient's lock, idempotent by the phone's id, and audited with
names of fields alone. What was removed keeps its id and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from backend import errors
from backend.accounts import audit
from backend.accounts.access import access_own_patient, not_found
from backend.accounts.actor import Actor
from backend.accounts.models import Patient
from backend.aftercare.models import CopingStep, SupportContact
from backend.aftercare.services.inviting import end_invitations
from backend.tracking.models import NextSync

Item = TypeVar("Item", CopingStep, SupportContact)
MOST_ITEMS = 50
# What of each kind is the patient's words and goes when it is removed; and what stands for empty.
EMPTIED: Mapping[type[CopingStep | SupportContact], Mapping[str, Any]] = {
    CopingStep: {"words": "", "cues": []},
    SupportContact: {
        "name": "",
        "relation": "",
        "phone": "",
        "email": "",
        "languages": [],
        "situations": [],
        "words": "",
        "opted_in_at": None,
    },
}
# Another of these is another person, or another way to them: their yes was not for that.
WHO = frozenset({"name", "phone", "email"})
NAMES: Mapping[type[CopingStep | SupportContact], str] = {
    CopingStep: "coping_step",
    SupportContact: "support_contact",
}


@dataclass(frozen=True, slots=True)
class Stored(Generic[Item]):
    """`is_new` is false when the same stood already."""

    row: Item
    is_new: bool


@transaction.atomic
def store_item(
    *, actor: Actor, kind: type[Item], item_id: UUID, values: Mapping[str, Any], now: datetime
) -> Stored[Item]:
    """A new one. The same again changes nothing.

    Raises `Gone` for one that was removed; `Conflict` for other content (with the stored copy),
    for an id of somebody else (without), and when there are `MOST_ITEMS` already.
    """
    patient = access_own_patient(actor, lock=True)
    known = kind._default_manager.filter(pk=item_id).first()
    if known is not None:
        return Stored(_same(patient, known, values), is_new=False)
    if kind._default_manager.filter(patient=patient, removed_at=None).count() >= MOST_ITEMS:
        raise errors.Conflict("too_many_items", _("There are too many of these already."))
    row = kind(pk=item_id, patient=patient, created_at=now, changed_at=now, **values)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:  # taken a moment ago, by somebody else: this one's lock says nothing
        raise _id_in_use() from None
    _audit(actor, row, "store")
    return Stored(row, is_new=True)


@transaction.atomic
def amend_item(
    *,
    actor: Actor,
    kind: type[Item],
    item_id: UUID,
    base_revision: int,
    changes: Mapping[str, Any],
    now: datetime,
) -> Stored[Item]:
    """Changes the named fields, if `base_revision` is the stored one. What stands so is a replay.

    Raises `NotFound`, `Gone`, and `Conflict` with the stored copy when another revision stands.
    """
    row = _own(access_own_patient(actor, lock=True), kind, item_id)
    if row.removed_at is not None:
        raise _gone()
    changed = {name: value for name, value in changes.items() if getattr(row, name) != value}
    if not changed:
        return Stored(row, is_new=False)
    if row.revision != base_revision:
        raise _conflict(row)
    for name, value in changed.items():
        setattr(row, name, value)
    if isinstance(row, SupportContact) and not WHO.isdisjoint(changed):
        row.opted_in_at = None
        end_invitations(row, now=now)
    row.changed_at = now
    _save_changed(row)
    _audit(actor, row, "amend", fields=sorted(changed))
    return Stored(row, is_new=True)


@transaction.atomic
def remove_item(*, actor: Actor, kind: type[Item], item_id: UUID, now: datetime) -> Stored[Item]:
    """Takes it away at once, its content too. Again changes nothing. Raises `NotFound`."""
    row = _own(access_own_patient(actor, lock=True), kind, item_id)
    if row.removed_at is not None:
        return Stored(row, is_new=False)
    for name, value in EMPTIED[kind].items():
        setattr(row, name, value)
    if isinstance(row, SupportContact):
        end_invitations(row, now=now)
    row.removed_at = row.changed_at = now
    _save_changed(row)
    _audit(actor, row, "remove")
    return Stored(row, is_new=True)


def _save_changed(row: CopingStep | SupportContact) -> None:
    """As its next revision, and the latest of what the patient's phones have yet to see."""
    row.revision += 1
    row.sync_seq = NextSync()
    row.save()
    row.refresh_from_db(fields=["sync_seq"])


def _own(patient: Patient, kind: type[Item], item_id: UUID) -> Item:
    row = kind._default_manager.filter(pk=item_id, patient=patient).first()
    if row is None:
        raise not_found()
    return row


def _same(patient: Patient, row: Item, values: Mapping[str, Any]) -> Item:
    if row.patient_id != patient.pk:
        raise _id_in_use()
    if row.removed_at is not None:
        raise _gone()
    if any(getattr(row, name) != value for name, value in values.items()):
        raise _conflict(row)
    return row


def _id_in_use() -> errors.Conflict:
    return errors.Conflict("id_in_use", _("This id belongs to something else."))


def _gone() -> errors.Gone:
    return errors.Gone("item_removed", _("This was removed, and stays so."))


def _conflict(row: CopingStep | SupportContact) -> errors.Conflict:
    return errors.Conflict(
        "item_conflict",
        _("This is stored with other content. Nothing was overwritten."),
        extra={"stored": row},
    )


def _audit(actor: Actor, row: CopingStep | SupportContact, act: str, **facts: Any) -> None:
    name = NAMES[type(row)]
    audit.record(
        actor=actor,
        action=f"{name}.{act}",
        patient_id=row.patient_id,
        object_kind=name,
        object_id=row.pk,
        facts=facts,
    )
