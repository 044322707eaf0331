"""Well-formed requests of the programme: episodes, sessions, attendance, tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4


def _episode(ask: Any) -> dict[str, Any]:
    """Word for word the one that is open; for nobody a new one."""
    belongings = ask.world.patients.get(ask.whose)
    known = belongings.treatment.episode if belongings and belongings.treatment else None
    return {
        "id": str(known.pk if known else uuid4()),
        "started_on": known.started_on.isoformat() if known else "2026-03-02",
        "phase": "intensive_outpatient",
        "treated_substances": known.treated_substances if known else [],
    }


def _session(_ask: Any) -> dict[str, Any]:
    starts_at = datetime.now(UTC) + timedelta(days=3)
    planned = {"kind": "individual", "starts_at": starts_at.isoformat(), "duration_minutes": 50}
    return {"id": str(uuid4()), **planned}


def _series(_ask: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "kind": "group",
        "first_on": datetime.now(UTC).date().isoformat(),
        "at": "18:00:00",
        "duration_minutes": 180,
        "rule": "FREQ=WEEKLY;BYDAY=MO,WE;COUNT=2",
    }


def _today() -> str:
    """A day that has come in every zone of the organisations."""
    return (datetime.now(UTC) - timedelta(days=1)).date().isoformat()


def _excused(_ask: Any) -> dict[str, Any]:
    return {"id": str(uuid4()), "status": "excused"}


def _coming_day(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


def _plan_form(_ask: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "kind": "group",
        "first_on": _coming_day(2),
        "last_on": _coming_day(9),
        "at": "18:00",
        "minutes": "180",
        "repeat": "weekly",
    }


PROGRAMME_BODIES: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "POST /api/v1/patients/{patient_id}/episodes": _episode,
    "POST /api/v1/patients/{patient_id}/episodes/{episode_id}/phases": lambda _ask: {
        "id": str(uuid4()),
        "kind": "step_down",
        "started_on": _today(),
    },
    "PUT /api/v1/patients/{patient_id}/episodes/{episode_id}/end": lambda _ask: {
        "ended_on": _today()
    },
    "POST /api/v1/patients/{patient_id}/sessions": _session,
    "POST /api/v1/patients/{patient_id}/session-series": _series,
    "POST /api/v1/patients/{patient_id}/sessions/{session_id}/attendance": _excused,
    "POST /api/v1/patients/{patient_id}/sessions/{session_id}/move": lambda _ask: {
        "id": str(uuid4()),
        "starts_at": (datetime.now(UTC) + timedelta(days=3)).isoformat(),
    },
    "POST /api/v1/patients/{patient_id}/drug-tests": lambda _ask: {
        "id": str(uuid4()),
        "collected_on": _today(),
        "result": "negative",
    },
    "POST /desk/patients/{patient_id}/sessions/{session_id}/attendance": _excused,
    "POST /desk/patients/{patient_id}/sessions": _plan_form,
    "POST /desk/patients/{patient_id}/sessions/{session_id}/move": lambda _ask: {
        "id": str(uuid4()),
        "day": _coming_day(3),
        "clock": "10:00",
    },
}
