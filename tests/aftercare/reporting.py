"""Storing check-ins through intake's own service, for tests of what follows from them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

from backend.intake.bodies import CheckInBody
from backend.intake.services import Received, receive_check_in
from tests.people import People, actor_for

NOON = datetime(2026, 3, 4, 17, 0, tzinfo=UTC)  # a Wednesday, noon in New York


def report(people: People, *, now: datetime = NOON, **items: Any) -> Received:
    """One live check-in of the patient, received at `now`."""
    values = {"kind": "daily", "local_date": now.date(), "recorded_at": now, **items}
    body = CheckInBody(id=uuid4(), **values)
    return receive_check_in(actor=actor_for(people.patient_user), body=body, now=now)


def report_days(people: People, days: list[dict[str, Any]], *, last: date) -> None:
    """One check-in a day, each received on its own evening, the last on the day `last`."""
    for index, items in enumerate(days):
        day = last - timedelta(days=len(days) - 1 - index)
        report(people, now=datetime.combine(day, time(18), tzinfo=UTC), **items)
