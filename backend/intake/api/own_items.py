"""Coping steps and support contacts in a sync, as their own routes take and show them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Raw

from backend import errors
from backend.accounts.actor import Actor
from backend.aftercare import services
from backend.aftercare.api import coping_steps, support_contacts
from backend.aftercare.api.coping_steps import (
    CopingStepAnswer,
    CopingStepBody,
    CopingStepChanges,
    show_step,
)
from backend.aftercare.api.own_items import values_of
from backend.aftercare.api.support_contacts import (
    SupportContactAnswer,
    SupportContactBody,
    SupportContactChanges,
    show_contact,
)
from backend.aftercare.models import CopingStep, SupportContact
from backend.aftercare.selectors import readable
from backend.decoding import decode
from backend.intake.syncing import (
    REGISTRY,
    AmendChange,
    Outcome,
    Synced,
    WithdrawChange,
    readable_id,
    refused,
)
from backend.tracking.deltas import KINDS

OwnItemAnswer = CopingStepAnswer | SupportContactAnswer


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the two: its row, what is sent of it, and how it is shown."""

    model: type[Any]
    body: type[Any]
    changes: type[Any]
    needed: Collection[str]
    show: Callable[[Any], OwnItemAnswer]


def show_own_item(row: object) -> OwnItemAnswer | None:
    """As its own route shows it; None for anything else, and for one that does not open."""
    if isinstance(row, CopingStep):
        return show_step(row) if readable([row]) else None
    if isinstance(row, SupportContact):
        return show_contact(row) if readable([row]) else None
    return None


def _synced(kind: Kind) -> Synced:
    def create(actor: Actor, items: Sequence[Raw], now: datetime) -> list[Outcome]:
        return [_create(kind, actor, bytes(raw), now) for raw in items]

    def amend(actor: Actor, change: AmendChange, now: datetime) -> Outcome:
        return _amend(kind, actor, change, now)

    def withdraw(actor: Actor, change: WithdrawChange, now: datetime) -> Outcome:
        return _withdraw(kind, actor, change, now)

    return Synced(create, amend, withdraw)


def _create(kind: Kind, actor: Actor, raw: bytes, now: datetime) -> Outcome:
    try:
        body = decode(raw, kind.body)
        stored = services.store_item(
            actor=actor,
            kind=kind.model,
            item_id=body.id,
            values=values_of(body, needed=kind.needed),
            now=now,
        )
    except errors.DomainError as error:
        return refused(error, id=readable_id(raw))
    return Outcome("created" if stored.is_new else "replayed", id=stored.row.pk, row=stored.row)


def _amend(kind: Kind, actor: Actor, change: AmendChange, now: datetime) -> Outcome:
    try:
        changes = decode(msgspec.json.encode(change.changes), kind.changes)
        stored = services.amend_item(
            actor=actor,
            kind=kind.model,
            item_id=change.id,
            base_revision=change.base_revision,
            changes=values_of(changes, needed=kind.needed),
            now=now,
        )
    except errors.DomainError as error:
        return refused(error, id=change.id)
    return Outcome("amended" if stored.is_new else "replayed", id=stored.row.pk, row=stored.row)


def _withdraw(kind: Kind, actor: Actor, change: WithdrawChange, now: datetime) -> Outcome:
    try:
        stored = services.remove_item(actor=actor, kind=kind.model, item_id=change.id, now=now)
    except errors.DomainError as error:
        return refused(error, id=change.id)
    return Outcome("withdrawn" if stored.is_new else "replayed", id=stored.row.pk, row=stored.row)


OWN_KINDS = {
    "coping_step": Kind(
        CopingStep, CopingStepBody, CopingStepChanges, coping_steps.NEEDED, show_step
    ),
    "support_contact": Kind(
        SupportContact,
        SupportContactBody,
        SupportContactChanges,
        support_contacts.NEEDED,
        show_contact,
    ),
}
for _name, _kind in OWN_KINDS.items():
    REGISTRY[_name] = _synced(_kind)
    KINDS[_name] = _kind.model
