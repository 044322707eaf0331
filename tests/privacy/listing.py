"""What tests of the lists of who saw a patient share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import time_machine

from backend.accounts import audit
from backend.accounts.actor import Actor
from tests.people import People
from tests.phones import Phone

DAY = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)


def at(moment: datetime, *, by: Actor, action: str, people: People, **more: Any) -> None:
    """An act on the patient's data at that moment."""
    with time_machine.travel(moment, tick=False):
        audit.record(actor=by, action=action, patient_id=people.patient.pk, **more)


def results(phone: Phone, path: str, language: str = "en") -> list[dict[str, Any]]:
    answer = phone.get(path, **{"accept-language": language})
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def audit_path(people: People, query: str = "") -> str:
    return f"/patients/{people.patient.pk}/audit{query}"
