"""Sync: a phone sends all that it holds, in any order and any number of times, and is told what
stands; and it is given everything that is new since its cursor.

What can be synced is a registry, by the `type` of a change.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any, Literal
from uuid import UUID

import msgspec
import structlog
from django.db import Error as DatabaseError
from msgspec import Raw, Struct

from backend import errors
from backend.accounts.access import access_own_patient
from backend.accounts.actor import Actor
from backend.aftercare.models import Alert, CopingStep, SupportContact
from backend.decoding import decode
from backend.intake import changing, services
from backend.intake.bodies import CheckInBody, to_report
from backend.tracking.models import CheckIn, Source
from backend.tracking.services import StoredCheckIn

logger = structlog.get_logger(__name__)
_CHANGE_START = re.compile(rb'(?=\{\s*"(?:op|type)"\s*:)')


class CreateChange(Struct, tag="create", tag_field="op", forbid_unknown_fields=True):
    """A new item, whole, as its own route takes it."""

    type: str
    item: Raw


class AmendChange(Struct, tag="amend", tag_field="op", forbid_unknown_fields=True):
    """Some items of a known one, changed on the revision that the phone has."""

    type: str
    id: UUID
    base_revision: int
    changes: dict[str, Any]


class WithdrawChange(Struct, tag="withdraw", tag_field="op", forbid_unknown_fields=True):
    """A known one taken back."""

    type: str
    id: UUID


Change = CreateChange | AmendChange | WithdrawChange
Status = Literal["created", "amended", "withdrawn", "replayed", "conflict", "invalid", "gone"]


@dataclass(slots=True)
class Outcome:
    """What became of one change. `row` is what stands now, for those that were accepted."""

    status: Status
    id: UUID | None = None
    row: CheckIn | StoredCheckIn | CopingStep | SupportContact | None = None
    alert: Alert | None = None
    error: errors.DomainError | None = None
    raw: bytes = field(default=b"", repr=False)
    rules: list[str] = field(default_factory=list)

    @property
    def is_accepted(self) -> bool:
        return self.error is None


STATUS_OF: Mapping[type[errors.DomainError], Status] = {
    errors.Conflict: "conflict",
    errors.Gone: "gone",
}


def refused(error: errors.DomainError, *, raw: bytes = b"", id: UUID | None = None) -> Outcome:
    """The outcome of a refused change: `conflict`, `gone`, or `invalid` with the problem."""
    status: Status = next(
        (s for kind, s in STATUS_OF.items() if isinstance(error, kind)), "invalid"
    )
    return Outcome(status=status, id=id, error=error, raw=raw)


@dataclass(frozen=True, slots=True)
class Synced:
    """How changes of one type are carried out."""

    create: Callable[[Actor, Sequence[Raw], datetime], list[Outcome]]
    amend: Callable[[Actor, AmendChange, datetime], Outcome]
    withdraw: Callable[[Actor, WithdrawChange, datetime], Outcome]


REGISTRY: dict[str, Synced] = {}


def sync_changes(*, actor: Actor, raws: Sequence[Raw], now: datetime) -> list[Outcome]:
    """Carries out each change on its own and in its order; one outcome for each.

    Neighbouring creations share a transaction; when that fails, each is tried by itself, so that
    a bad one never spoils the others.
    """
    outcomes: list[Outcome] = []
    parsed = [_parse(raw) for raw in raws]
    for (kind, type_name), group in groupby(parsed, key=_group_key):
        members = list(group)
        if kind is CreateChange:
            items = [change.item for change in members if isinstance(change, CreateChange)]
            outcomes.extend(_create(REGISTRY[type_name], actor, items, now))
        else:
            outcomes.extend(_each(actor, members, now))
    return outcomes


def _parse(raw: Raw) -> Change | Outcome:
    try:
        change: Change = decode(bytes(raw), Change)  # type: ignore[arg-type]
        if change.type not in REGISTRY:
            raise errors.invalid_field("/type", "unknown_type", "This cannot be synced.")
    except errors.DomainError as error:
        return refused(error, raw=acute_body(bytes(raw)))
    return change


def _group_key(change: Change | Outcome) -> tuple[type, str]:
    return type(change), "" if isinstance(change, Outcome) else change.type


def _create(synced: Synced, actor: Actor, items: Sequence[Raw], now: datetime) -> list[Outcome]:
    try:
        return synced.create(actor, items, now)
    except DatabaseError:
        if len(items) == 1:
            raise
    return [outcome for item in items for outcome in synced.create(actor, [item], now)]


def _each(actor: Actor, members: Sequence[Change | Outcome], now: datetime) -> Iterator[Outcome]:
    for change in members:
        if isinstance(change, Outcome):
            yield change
        elif isinstance(change, AmendChange):
            yield REGISTRY[change.type].amend(actor, change, now)
        elif isinstance(change, WithdrawChange):
            yield REGISTRY[change.type].withdraw(actor, change, now)


def acute_body(raw: bytes) -> bytes:
    """The check-in inside a change that was not understood, to be read leniently."""
    try:
        change = msgspec.json.decode(raw, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return raw
    inner = change.get("item", change.get("changes"))
    if not isinstance(inner, dict):
        return raw
    return msgspec.json.encode({"id": change.get("id"), **inner})


def broken_changes(raw: bytes) -> list[bytes]:
    """The changes inside a body that ends in the middle or is no JSON, each to be read leniently.

    Apart, so that what one of them says does not stand for the next.
    """
    return [part for part in _CHANGE_START.split(raw) if b'"op"' in part] or [raw]


class _Identified(Struct):
    id: UUID


def readable_id(raw: bytes) -> UUID | None:
    """The id inside a refused item, so that the phone knows which one it was."""
    try:
        return msgspec.json.decode(raw, type=_Identified).id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


# Check-ins -------------------------------------------------------------------------------------


def _create_check_ins(actor: Actor, items: Sequence[Raw], now: datetime) -> list[Outcome]:
    patient = access_own_patient(actor)
    outcomes: list[Outcome | None] = []
    reports = []
    for raw in items:
        try:
            body = decode(bytes(raw), CheckInBody)
            reports.append(to_report(body, patient_zone=patient.time_zone, now=now))
            outcomes.append(None)
        except errors.DomainError as error:
            outcomes.append(refused(error, raw=bytes(raw)))
    received = iter(
        services.receive_reports(
            actor=actor, patient=patient, reports=reports, source=Source.APP, now=now
        )
        if reports
        else []
    )
    return [
        outcome or _received(next(received), bytes(raw))
        for outcome, raw in zip(outcomes, items, strict=True)
    ]


def _received(result: services.Received | errors.DomainError, raw: bytes) -> Outcome:
    if isinstance(result, errors.DomainError):
        if services.is_erased(result):
            return refused(result, id=decode(raw, CheckInBody).id)
        return refused(result, raw=raw)
    return Outcome(
        "created" if result.is_new else "replayed",
        id=result.standing.pk,
        row=result.standing,
        alert=result.alert,
        rules=result.rules,
    )


def _amend_check_in(actor: Actor, change: AmendChange, now: datetime) -> Outcome:
    try:
        changed = changing.amend(
            actor=actor,
            check_in_id=change.id,
            base_revision=change.base_revision,
            changes=change.changes,
            now=now,
        )
    except errors.DomainError as error:
        said = msgspec.json.encode({**change.changes, "id": str(change.id)})
        return refused(error, id=change.id, raw=said)
    return _changed(changed, "amended")


def _withdraw_check_in(actor: Actor, change: WithdrawChange, now: datetime) -> Outcome:
    try:
        changed = changing.withdraw(actor=actor, check_in_id=change.id, now=now)
    except errors.DomainError as error:
        return refused(error, id=change.id)
    return _changed(changed, "withdrawn")


def _changed(changed: changing.Changed, status: Status) -> Outcome:
    row = changed.check_in
    return Outcome(
        status if changed.is_new else "replayed", id=row.pk, row=row, alert=changed.alert
    )


REGISTRY["check_in"] = Synced(_create_check_ins, _amend_check_in, _withdraw_check_in)
