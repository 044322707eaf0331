"""Notes, as somebody writes them and as they stand in the tables."""

from __future__ import annotations

import secrets
from typing import Any
from uuid import UUID

from django.db import connection

from backend.accounts import patient_keys
from backend.accounts.models import Patient
from backend.tracking.models import CheckIn
from tests.phones import Phone, check_in_body

CANARY = "canary-by-the-river"


def raw(sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def stored_text(table: str) -> str:
    """Every column of every row, as anybody reads it who has a dump."""
    return " ".join(row for (row,) in raw(f"SELECT t::text FROM {table} t"))


def new_key() -> str:
    return secrets.token_urlsafe(32)


def noted(phone: Phone, **items: Any) -> CheckIn:
    body = check_in_body(mood=6, **items)
    assert phone.post("/check-ins", body).status_code == 201
    return CheckIn.objects.get(pk=UUID(body["id"]))


def phone_of(patient: Patient) -> Phone:
    assert patient.user is not None
    return Phone.of(patient.user)


def amend(phone: Phone, row: CheckIn, **changes: Any) -> None:
    path = f"/check-ins/{row.pk}"
    assert phone.request("PATCH", path, changes, **{"If-Match": '"1"'}).status_code == 200


def read_note(row: CheckIn) -> str:
    patient_keys.forget(row.patient_id)
    return CheckIn.objects.get(pk=row.pk).note
