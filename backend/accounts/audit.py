"""Writing the audit log. Called by services, inside the transaction of the act itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from backend.accounts.actor import Actor
from backend.accounts.models import AuditEvent


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
    build(
        actor=actor,
        action=action,
        patient_id=patient_id,
        object_kind=object_kind,
        object_id=object_id,
        facts=facts,
    ).save(force_insert=True)


_COLUMNS = {
    "at": "timestamptz", "action": "text", "actor_id": "uuid", "actor_role": "text",
    "actor_name": "text", "device_id": "uuid", "request_id": "text", "patient_id": "uuid",
    "object_kind": "text", "object_id": "text", "was_allowed": "boolean", "facts": "jsonb",
}  # fmt: skip


def insert_for_each(source: str, object_id: str) -> str:
    """SQL that writes one act for each row of `source`, for use inside a larger statement.

    `object_id` is the source's column that names the object; the rest are the named parameters
    of `parameters_for_each`.
    """
    values = (
        f"{object_id}::text" if name == "object_id" else f"%(audit_{name})s::{kind}"
        for name, kind in _COLUMNS.items()
    )
    return (
        f"INSERT INTO accounts_auditevent ({', '.join(_COLUMNS)})"  # noqa: S608 - own constants
        f" SELECT {', '.join(values)} FROM {source}"
    )


def parameters_for_each(
    *,
    actor: Actor,
    action: str,
    patient_id: UUID | None,
    object_kind: str,
    facts: Mapping[str, Any],
    now: datetime,
) -> dict[str, Any]:
    """The named parameters of `insert_for_each`."""
    event = build(
        actor=actor, action=action, patient_id=patient_id, object_kind=object_kind, facts=facts
    )
    values = {name: getattr(event, name) for name in _COLUMNS if name != "object_id"}
    values |= {"at": now, "facts": json.dumps(event.facts)}
    return {f"audit_{name}": value for name, value in values.items()}


def record_denial(
    *, actor: Actor, action: str, patient_id: UUID | None, facts: Mapping[str, Any] | None = None
) -> None:
    """Stores a refusal on a connection of its own, because the caller's transaction rolls back."""
    build(actor=actor, action=action, patient_id=patient_id, was_allowed=False, facts=facts).save(
        using="audit", force_insert=True
    )
