"""What of the check-ins' tables belongs to a patient."""

from __future__ import annotations

from typing import Any

from backend.accounts.patient_tables import Fate, PatientTable
from backend.tracking.models import (
    Assessment,
    AssessmentRequest,
    BaselineStart,
    CheckIn,
    CheckInRevision,
    PackedWindow,
)
from backend.tracking.selectors import former_note
from backend.tracking.shapes import SIGNAL_FACTS


def _former(row: CheckInRevision, values: dict[str, Any]) -> dict[str, Any]:
    note = former_note(row)
    return {**values, "content": {**row.content, "note": note}}


def _said(row: Assessment, values: dict[str, Any]) -> dict[str, Any]:
    """Directions, bands and days. The scores behind them are no one's to be measured by."""
    signals = row.facts.get("signals", [])
    shown = [{name: signal.get(name) for name in SIGNAL_FACTS} for signal in signals]
    return {**values, "facts": {"signals": shown}}


TABLES = (
    PatientTable(
        model=CheckInRevision,
        of="check_in__patient",
        erasure=Fate.DELETED,
        is_history=True,
        name="check_ins_before_changes",
        opened=_former,
    ),
    PatientTable(
        model=CheckIn,
        erasure=Fate.DELETED,
        name="check_ins",
        hidden=frozenset({"content_digest", "sync_seq"}),
    ),
    PatientTable(
        model=Assessment,
        erasure=Fate.DELETED,
        name="trends",
        opened=_said,
        hidden=frozenset({"input_digest"}),
    ),
    PatientTable(
        model=AssessmentRequest,
        erasure=Fate.DELETED,
        not_exported_because="a work item that is there for seconds",
    ),
    PatientTable(
        model=PackedWindow,
        erasure=Fate.DELETED,
        not_exported_because="the days of the check-ins once more, for reading many people",
    ),
    PatientTable(
        model=BaselineStart,
        erasure=Fate.BLANKED,
        blank={"reason": ""},
        kept_because="a clinician's own act",
        record_end=Fate.DELETED,
        name="new_usuals",
    ),
)
