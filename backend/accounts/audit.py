"""Writing the audit log. Called by services, inside the transaction of the act itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connections
from django.utils import timezone

from backend.accounts.actor import Actor
from backend.accounts.models import AuditEvent

PEOPLE_A_ROW = 500


def build(
    *,
    actor: Actor,
    action: str,
    patient_id: UUID | None = None,
    object_kind: str = "",
    object_id: object = "",
    was_allowed: bool = True,
    facts: Mapping[str, Any] | None = None,
) -> AuditEvent:
    """The row, not yet stored. `facts` takes ids, names of fields and counts alone."""
    return AuditEvent(
        action=action,
        actor_id=actor.user_id,
        actor_role=actor.role.value,
        actor_name=actor.name,
        device_id=actor.device_id,
        request_id=actor.request_id,
        patient_id=patient_id,
        object_kind=object_kind,
        object_id=str(object_id),
        was_allowed=was_allowed,
        facts=dict(facts or {}),
    )


def record(
    *,
    actor: Actor,
    action: str,
    patient_id: UUID | None = None,
    object_kind: str = "",
    object_id: object = "",
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Stores one act, in the transaction around it."""
    event = build(
        actor=actor,
        action=action,
        patient_id=patient_id,
        object_kind=object_kind,
        object_id=object_id,
        facts=facts,
    )
    _insert(event, using="default")


def record_shown(
    *,
    actor: Actor,
    action: str,
    patient_ids: Sequence[UUID],
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Stores that several people were shown at once, and who: up to `PEOPLE_A_ROW` in a row.

    `count` is that of all of them, in each row. Nobody shown leaves one row, too.
    """
    for start in range(0, max(len(patient_ids), 1), PEOPLE_A_ROW):
        named = [str(patient_id) for patient_id in patient_ids[start : start + PEOPLE_A_ROW]]
        shown = {**(facts or {}), "count": len(patient_ids), "patients": named}
        record(actor=actor, action=action, facts=shown)


_COLUMNS = {
    "at": "timestamptz", "action": "text", "actor_id": "uuid", "actor_role": "text",
    "actor_name": "text", "device_id": "uuid", "request_id": "text", "patient_id": "uuid",
    "object_kind": "text", "object_id": "text", "was_allowed": "boolean", "facts": "jsonb",
}  # fmt: skip


def insert_for_each(source: str, object_id: str, act: str) -> str:
    """SQL that writes one act for each row of `source`, for use inside a larger statement.

    `object_id` is the source's column that names the object; `act` is SQL for the jsonb object
    that `act_for_each` makes, which says the rest.
    """
    said = ", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items() if name != "object_id")
    values = (
        f"source.{object_id}::text" if name == "object_id" else f"act.{name}" for name in _COLUMNS
    )
    return (
        f"INSERT INTO accounts_auditevent ({', '.join(_COLUMNS)})"  # noqa: S608 - own constants
        f" SELECT {', '.join(values)} FROM {source} AS source,"
        f" jsonb_to_record({act}) AS act({said})"
    )


def act_for_each(
    *,
    actor: Actor,
    action: str,
    patient_id: UUID | None,
    object_kind: str,
    facts: Mapping[str, Any],
    now: datetime,
) -> dict[str, Any]:
    """What `insert_for_each` writes beside the object's id, to be encoded as JSON."""
    return {
        "at": now,
        "action": action,
        "actor_id": actor.user_id,
        "actor_role": actor.role.value,
        "actor_name": actor.name,
        "device_id": actor.device_id,
        "request_id": actor.request_id,
        "patient_id": patient_id,
        "object_kind": object_kind,
        "was_allowed": True,
        "facts": facts,
    }


def record_denial(
    *, actor: Actor, action: str, patient_id: UUID | None, facts: Mapping[str, Any] | None = None
) -> None:
    """Stores a refusal on a connection of its own, because the caller's transaction rolls back."""
    event = build(actor=actor, action=action, patient_id=patient_id, was_allowed=False, facts=facts)
    _insert(event, using="audit")


_INSERT = (
    f"INSERT INTO accounts_auditevent ({', '.join(_COLUMNS)})"  # noqa: S608 - own constants
    f" VALUES ({', '.join(f'%s::{kind}' for kind in _COLUMNS.values())})"
)


def _insert(event: AuditEvent, *, using: str) -> None:
    # Not by the ORM, which reads the new row's number back: whoever writes what was done need not
    # be one who may read it, as when somebody is refused or still signing in.
    values = {name: getattr(event, name) for name in _COLUMNS}
    values |= {"at": timezone.now(), "facts": json.dumps(event.facts)}
    with connections[using].cursor() as cursor:
        cursor.execute(_INSERT, list(values.values()))
