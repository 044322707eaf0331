"""What a restore must not forget: acts that are kept outside of the database as well.

A back-up knows nothing of what came after it. So the acts after which somebody must no longer be
told, shown or kept are also lines of a file (`JOURNAL_FILE`), and `manage.py replay_journal` does
them again before anything is delivered from a restored database.

The lines are a part of the audit log: an act whose name has a replayer here is one, whoever
recorded it. So an area below only writes its audit row as always, and an area above (or beside)
registers what doing it again means:

    journal.register("consent.revoke", replay_revocation)

A replayer is told the entry and the actor, is idempotent, changes nothing newer than the act, and
finds it normal that the thing is not there: then the back-up is older than the thing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from backend.accounts import audit
from backend.accounts.actor import Actor


@dataclass(frozen=True, slots=True)
class Entry:
    """One act, as its audit row has it: ids, and those facts that its kind asks for.

    `number` is the audit row's id, `at` aware and by the clock of who acted.
    """

    number: int
    at: datetime
    kind: str
    actor_id: UUID | None
    patient_id: UUID | None
    object_kind: str
    object_id: str
    facts: Mapping[str, Any] = field(default_factory=dict)


Replayer = Callable[[Entry, Actor], bool]
"""Does an act again, in the caller's transaction; whether that changed anything."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What replays an act, and which of its facts that needs: ids, flags and counts alone."""

    replayer: Replayer
    facts: frozenset[str]


_kinds: dict[str, Kind] = {}
replayers: Mapping[str, Kind] = MappingProxyType(_kinds)
"""By the name of the act, which is also the kind of its line."""


def register(kind: str, replayer: Replayer, *, facts: frozenset[str] = frozenset()) -> None:
    """Puts acts of this name into the journal from now on. Raises ValueError for a known one."""
    if kind in _kinds:
        raise ValueError(f"{kind} has a replayer already")
    _kinds[kind] = Kind(replayer=replayer, facts=facts)


def record(
    *,
    actor: Actor,
    kind: str,
    ids: Mapping[str, UUID | None],
    patient_id: UUID | None = None,
    object_kind: str = "",
    object_id: object = "",
) -> None:
    """Audits an act of a registered kind, in the caller's transaction: that puts it in the journal.

    Raises ValueError for a kind without a replayer, which nobody could ever do again, and for an
    id that its kind does not ask for.
    """
    known = _kinds.get(kind)
    if known is None:
        raise ValueError(f"{kind} has no replayer")
    if unasked := set(ids) - known.facts:
        raise ValueError(f"{kind} does not ask for {', '.join(sorted(unasked))}")
    audit.record(
        actor=actor,
        action=kind,
        patient_id=patient_id,
        object_kind=object_kind,
        object_id=object_id,
        facts={name: None if value is None else str(value) for name, value in ids.items()},
    )
