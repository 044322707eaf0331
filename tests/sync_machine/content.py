"""What a check-in of this test may say, and how it looks on a phone and in the database."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import msgspec
from hypothesis import strategies as st

from backend.tracking.models import CheckIn, CheckInRevision
from backend.tracking.selectors import former_note
from backend.tracking.shapes import show_check_in
from tests.sync_machine.phone import Copy, OfflinePhone, id_of

NOTES = ("", "slept badly", "Ω≈ç√ 🙂", "line\nbreak", "<b>&amp;'\"; DROP TABLE x; --")

changes_made = st.fixed_dictionaries(
    {},
    optional={
        "mood": st.integers(0, 10),
        "craving": st.integers(0, 10),
        "not_safe": st.booleans(),
        "note": st.sampled_from(NOTES),
        "cues": st.lists(st.sampled_from(["payday", "the old street"]), unique=True),
    },
).filter(bool)
which = st.integers(0, 1)


def is_acute(values: dict[str, Any]) -> bool:
    """The three rules that need no other day."""
    mood, craving = values.get("mood"), values.get("craving")
    low = mood is not None and mood <= 1
    return bool(values.get("not_safe")) or low or (craving is not None and craving >= 8)


SHOWN = ("mood", "craving", "not_safe", "note", "cues")


def plain(row: CheckIn) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(show_check_in(row))
    return shown


def former(row: CheckIn, revision: int) -> dict[str, Any]:
    kept = CheckInRevision.objects.get(check_in=row, revision=revision)
    return {**kept.content, "note": former_note(kept)}


def is_said(values: dict[str, Any]) -> bool:
    """Whether there is anything in it: an empty check-in is not one."""
    return any(value not in (None, "", []) and value is not False for value in values.values())


def is_kept(phone: OfflinePhone, chosen: UUID, values: dict[str, Any]) -> bool:
    """Whether this changes something and leaves something: an app offers no other change."""
    content = phone.held[chosen].content
    after = {**content, **values}
    return after != content and is_said({name: after[name] for name in SHOWN})


def values_of(change: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = change.get("item") or change.get("changes") or {}
    return values


def copy_of(body: dict[str, Any]) -> Copy:
    from_phone = OfflinePhone()
    from_phone.take_item(UUID(body["id"]), 1, body)
    return from_phone.held[UUID(body["id"])]


def pick(data: st.DataObject, phone: OfflinePhone, *, is_settled: bool = False) -> UUID | None:
    """One that this phone shows; with `is_settled` one that has no change waiting."""
    queued: Iterable[UUID] = {id_of(change) for change in phone.queue} if is_settled else ()
    choices = [key for key in phone.held if key not in queued]
    return data.draw(st.sampled_from(choices)) if choices else None
