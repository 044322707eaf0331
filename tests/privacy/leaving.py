"""Somebody with something in every table, who wants to leave."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import connection
from django.utils import timezone

from backend.accounts.models import Patient, User
from backend.aftercare.models import (
    Alert,
    CopingStep,
    SupportContact,
)
from backend.privacy.models import Erasure
from backend.privacy.registry import TABLES
from tests.people import PASSWORD, People, make_device
from tests.phones import Phone, check_in_body
from tests.program.attending import attend

CANARY = "canary-under-the-bridge"
WEEK = timedelta(days=7)


def raw(sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def user_of(patient: Patient) -> User:
    assert patient.user is not None
    return patient.user


def live_a_little(patient: Patient) -> Phone:
    """Somebody with something in every table that a patient fills."""
    phone = Phone.of(user_of(patient))
    make_device(user_of(patient), f"target-{CANARY}-{patient.pk}")
    first = check_in_body(mood=6, note=CANARY)
    phone.post("/check-ins", first)
    phone.request("PATCH", f"/check-ins/{first['id']}", {"mood": 5}, **{"If-Match": '"1"'})
    phone.post("/check-ins", check_in_body(craving=9, note=CANARY, cues=[CANARY]))
    phone.post("/check-ins", check_in_body(not_safe=True, mood=99))  # refused, and heard
    now = timezone.now()
    own = {"created_at": now, "changed_at": now, "patient": patient}
    CopingStep.objects.create(id=uuid4(), words=CANARY, **own)
    SupportContact.objects.create(id=uuid4(), name=CANARY, phone=CANARY, **own)
    attend(patient, now=now)
    phone.post("/me/exports", {"id": str(uuid4())})
    return phone


def resolve(people: People, patient: Patient) -> None:
    for alert in Alert.objects.filter(patient=patient).exclude(status="resolved"):
        act = {"id": str(uuid4()), "outcome": "reached", "note": CANARY}
        path = f"/patients/{patient.pk}/alerts/{alert.pk}/resolve"
        assert Phone.of(people.therapist.user).post(path, act).status_code == 200


def ask(phone: Phone, password: str = PASSWORD) -> Any:
    return phone.post("/me/erasure", {"password": password})


def later(days: float = 7.01) -> datetime:
    return timezone.now() + timedelta(days=days)


def make_due() -> None:
    """The database itself looks at the day, too, and by its own clock."""
    Erasure.objects.update(requested_at=timezone.now() - WEEK * 2, due_at=timezone.now() - WEEK)


def rows_of(patient: Patient) -> dict[str, int]:
    return {table.name or table.table: table.rows(patient.pk).count() for table in TABLES}
