"""An audit log to seal, and what a check finds in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from backend.accounts import audit
from backend.accounts.actor import Actor, Role
from backend.accounts.models import AuditEvent
from backend.privacy.chain import Cursor
from backend.privacy.verifying import Fault, Outside, Tally, verify
from tests.conftest import owner_connection

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def write_acts(count: int, *, patient_id: UUID | None = None) -> list[int]:
    """So many rows, committed; returns their ids."""
    actor = Actor(user_id=uuid4(), role=Role.CLINICIAN, request_id='Ünïcode\n"quoted"')
    rows = [
        audit.build(
            actor=actor,
            action="patient.read",
            patient_id=patient_id or uuid4(),
            object_kind="test",
            object_id=uuid4(),
            facts={"count": number, "share": number / 3, "words": ["é", None, True]},
        )
        for number in range(count)
    ]
    return [row.pk for row in AuditEvent.objects.bulk_create(rows)]


def faults(cursor: Cursor, roots: Path | None) -> list[Fault]:
    end = roots.stat().st_size if roots else 0
    return list(verify(cursor, tally=Tally(), outside=Outside(roots, end=end)))


def later(seconds: int) -> datetime:
    return NOW + timedelta(seconds=seconds)


def one(cursor: Any, query: str, values: Sequence[Any] = ()) -> Any:
    """The one value of one row."""
    return cursor.execute(query, values).fetchone()[0]


def all_faults(roots: Path) -> list[Fault]:
    with owner_connection() as connection:
        return faults(connection.cursor(), roots)
