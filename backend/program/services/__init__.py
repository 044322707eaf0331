"""What a care team enters of the treatment it gives."""

from __future__ import annotations

from backend.program.services.drug_tests import record_drug_test, withdraw_drug_test
from backend.program.services.episodes import end_episode, start_episode, start_phase
from backend.program.services.sessions import (
    cancel_session,
    move_session,
    plan_series,
    plan_session,
    record_attendance,
)

__all__ = [
    "cancel_session",
    "end_episode",
    "move_session",
    "plan_series",
    "plan_session",
    "record_attendance",
    "record_drug_test",
    "start_episode",
    "start_phase",
    "withdraw_drug_test",
]
