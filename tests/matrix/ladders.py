"""A ladder and a shift as an administrator enters them, and a shift that is over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from backend.accounts.models import Clinician
from backend.aftercare.models import OnCallShift


def ladder_body() -> dict[str, Any]:
    silent = {"critical": 10, "high": 120}
    return {
        "rungs": [{"who": "clinical_supervisor", "silent_minutes": silent}],
        "reason": "There is nobody else at night.",
        "decided_by": "Ottilie",
        "review_on": (datetime.now(UTC) + timedelta(days=60)).date().isoformat(),
    }


def shift_body(clinician_id: UUID) -> dict[str, Any]:
    starts_at = datetime.now(UTC) + timedelta(days=1)
    return {
        "id": str(uuid4()),
        "clinician_id": str(clinician_id),
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(hours=8)).isoformat(),
    }


def ladder_form() -> dict[str, Any]:
    """The same as the page sends it."""
    body = ladder_body()
    return {
        "rungs": "1",
        "base_version": "0",
        "who-0": "clinical_supervisor",
        "critical-0": "10",
        "high-0": "120",
        "change": "save",
        **{name: body[name] for name in ("reason", "decided_by", "review_on")},
    }


def shift_form(clinician_id: UUID) -> dict[str, Any]:
    day = (datetime.now(UTC) + timedelta(days=2)).date()
    return {
        "id": str(uuid4()),
        "clinician": str(clinician_id),
        "starts": f"{day}T08:00",
        "ends": f"{day}T20:00",
        "days": "1",
    }


def past_shift(clinician: Clinician) -> OnCallShift:
    """One that is over, so that there is no rota now."""
    now = datetime.now(UTC)
    return OnCallShift.objects.create(
        organisation=clinician.organisation,
        clinician=clinician,
        starts_at=now - timedelta(days=2),
        ends_at=now - timedelta(days=1),
        created_at=now - timedelta(days=2),
    )


LADDER_PAGES: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "POST /administrator/ladder/change": lambda _ask: ladder_form(),
    "POST /administrator/on-call": lambda ask: shift_form(ask.world.on_call_id),
    "POST /administrator/on-call/holidays": lambda _ask: {"on": "2099-12-25", "name": "Midwinter"},
}
