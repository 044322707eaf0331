"""The scopes `check_ins` and `notes`. A note that was not shared is for its patient alone."""

from __future__ import annotations

from typing import Any

import msgspec

from backend.accounts.consent_scopes import Asked, ConsentScope, SharedScope, Shown
from backend.accounts.models import Patient
from backend.tracking.models import CheckIn
from backend.tracking.selectors import check_ins_of_days
from backend.tracking.shapes import show_check_in

# How the server came by a check-in is nothing about the person.
INTERNAL = ("source", "received_at", "is_late", "revision", "note", "note_shared")


def _items(row: CheckIn) -> dict[str, Any]:
    shown = msgspec.to_builtins(show_check_in(row, with_note=False))
    return {name: value for name, value in shown.items() if name not in INTERNAL}


def gather_check_ins(patient: Patient, asked: Asked) -> Shown:
    """Those of the days that nobody took back, without their notes."""
    return [_items(row) for row in check_ins_of_days(patient.pk, asked.first, asked.last)]


def gather_notes(patient: Patient, asked: Asked) -> Shown:
    """Those that the patient shared with the care team."""
    rows = check_ins_of_days(patient.pk, asked.first, asked.last)
    return [
        {"id": str(row.pk), "local_date": row.local_date, "note": row.note}
        for row in rows
        if row.note and row.note_shared
    ]


CHECK_INS = SharedScope(
    name=ConsentScope.CHECK_INS,
    object_kind="check_in",
    tables=("tracking.CheckIn",),
    gather=gather_check_ins,
)
NOTES = SharedScope(
    name=ConsentScope.NOTES,
    object_kind="note",
    tables=("tracking.CheckIn",),
    gather=gather_notes,
)
