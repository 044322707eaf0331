"""The reads that a phone's check-in makes each time, as SQL that is written once.

Building a query from its parts cost more than PostgreSQL needs to answer it. Only the columns that
requests use are read; any other field of these rows is fetched by Django when somebody asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection, models

from backend.accounts.models import AccessToken, Organisation, Patient, User

READ: Mapping[type[models.Model], frozenset[str]] = {
    AccessToken: frozenset({"id", "user_id", "device_id"}),
    User: frozenset({"id", "role", "language"}),
    Patient: frozenset(
        {"id", "organisation_id", "user_id", "country", "time_zone", "enrolled_at", "discharged_at"}
    ),
    Organisation: frozenset({"id", "time_zone", "monitoring_hours"}),
}


def find_token(token_hash: bytes, *, now: datetime) -> AccessToken | None:
    """The live token of an open account, with its `user`; None for any other."""
    row = _one(_token_sql(), [token_hash, now])
    if row is None:
        return None
    token: AccessToken
    token, token.user = _split(row, AccessToken, User)
    return token


def find_own_patient(user_id: UUID, *, lock: bool) -> Patient | None:
    """The patient that this account is, with their `organisation` and `user`.

    `lock` holds the patient's row until the transaction ends.
    """
    row = _one(_patient_sql(lock), [user_id])
    if row is None:
        return None
    patient: Patient
    patient, patient.organisation, patient.user = _split(row, Patient, Organisation, User)
    return patient


def has_care_team(patient_id: UUID, *, now: datetime) -> bool:
    """Whether anybody with an open account is on this patient's care team today."""
    (found,) = _one(_TEAM_SQL, [patient_id, now.date(), now.date()]) or (False,)
    return bool(found)


def _one(sql: str, values: Sequence[Any]) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        row: tuple[Any, ...] | None = cursor.fetchone()
    return row


def _fields(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    return [f for f in model._meta.concrete_fields if f.attname in READ[model]]


def _columns(model: type[models.Model], alias: str) -> str:
    return ", ".join(f"{alias}.{field.column}" for field in _fields(model))


def _split(row: tuple[Any, ...], *kinds: type[Any]) -> list[Any]:
    made, start = [], 0
    for kind in kinds:
        fields = _fields(kind)
        values = [
            field.from_db_value(value, None, connection)
            if hasattr(field, "from_db_value")
            else value
            for field, value in zip(fields, row[start : start + len(fields)], strict=True)
        ]
        made.append(kind.from_db(connection.alias, [field.attname for field in fields], values))
        start += len(fields)
    return made


@cache
def _token_sql() -> str:
    return (
        f"SELECT {_columns(AccessToken, 't')}, {_columns(User, 'u')}"  # noqa: S608 - model columns
        " FROM accounts_accesstoken t JOIN accounts_user u ON u.id = t.user_id"
        " WHERE t.token_hash = %s AND t.revoked_at IS NULL AND t.expires_at > %s AND u.is_active"
    )


@cache
def _patient_sql(lock: bool) -> str:
    return (
        f"SELECT {_columns(Patient, 'p')}, {_columns(Organisation, 'o')}, {_columns(User, 'u')}"  # noqa: S608 - model columns
        " FROM accounts_patient p JOIN accounts_organisation o ON o.id = p.organisation_id"
        " JOIN accounts_user u ON u.id = p.user_id WHERE p.user_id = %s"
        + (" FOR NO KEY UPDATE OF p" if lock else "")
    )


_TEAM_SQL = (
    "SELECT EXISTS (SELECT 1 FROM accounts_careteammember m"
    " JOIN accounts_clinician c ON c.id = m.clinician_id"
    " JOIN accounts_user u ON u.id = c.user_id AND u.is_active"
    " WHERE m.patient_id = %s AND m.started_on <= %s"
    " AND (m.ended_on IS NULL OR m.ended_on > %s))"
)
