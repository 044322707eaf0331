"""How an entry of the journal is written down: one line of JSON, by version.

A mark says that there was nothing to write up to its number, so that nobody looks there again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from backend.privacy.append_only import TAIL
from backend.privacy.journal import Entry

VERSION = 1
MARK = "mark"


def line_of(entry: Entry) -> str:
    fields: dict[str, Any] = {
        "v": VERSION,
        "number": entry.number,
        "at": entry.at.astimezone(UTC).isoformat(),
        "kind": entry.kind,
        "actor": _text(entry.actor_id),
        "patient": _text(entry.patient_id),
        "object_kind": entry.object_kind,
        "object": entry.object_id,
        "facts": dict(entry.facts),
    }
    return json.dumps({name: value for name, value in fields.items() if value not in (None, "")})


def mark(number: int, at: datetime) -> Entry:
    return Entry(number, at, MARK, None, None, "", "")


def parse(line: str) -> Entry | None:
    """None for what is no whole line of a version that is known."""
    try:
        said = json.loads(line)
        if said["v"] != VERSION:
            return None
        return Entry(
            number=int(said["number"]),
            at=datetime.fromisoformat(said["at"]),
            kind=str(said["kind"]),
            actor_id=_id(said, "actor"),
            patient_id=_id(said, "patient"),
            object_kind=str(said.get("object_kind", "")),
            object_id=str(said.get("object", "")),
            facts=dict(said["facts"]),
        )
    except (ValueError, KeyError, TypeError):
        return None


def read(path: Path) -> Iterator[Entry | None]:
    """Every entry in order; None for a line that is neither whole nor torn. Raises OSError."""
    with path.open("rb") as file:
        torn = ""
        while raw := file.readline(TAIL):
            line = raw.decode("utf-8", "replace").rstrip("\n")
            if torn and not line.startswith(torn):
                yield None
            entry = parse(line)
            torn = "" if entry else line
            if entry or not line:
                yield entry
        # What stands torn at the end was never waited for: the next writer writes it again.


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def _id(said: Mapping[str, Any], name: str) -> UUID | None:
    return UUID(said[name]) if name in said else None
