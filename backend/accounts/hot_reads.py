"""The reads that a phone's request makes each time, as SQL that is written once.

Building a query from its parts cost more than PostgreSQL needs to answer it, and each statement
costs a thread switch beside. Only the columns that requests use are read; any other field of these
rows is fetched by Django when somebody asks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from backend.accounts.models import AccessToken, Organisation, Patient, User
from backend.rows import attach, one, shape
from backend.sealing import Wrapped

_TOKEN = shape(AccessToken, {"id", "user_id", "device_id"})
_USER = shape(User, {"id", "role", "language"})
_PATIENT = shape(
    Patient,
    {
        "id",
        "organisation_id",
        "user_id",
        "country",
        "time_zone",
        "enrolled_at",
        "discharged_at",
        "left_monitoring_at",
    },
)
_ORGANISATION = shape(Organisation, {"id", "time_zone", "monitoring_hours"})
_ARRIVING = ((_TOKEN, "t"), (_USER, "u"), (_PATIENT, "p"), (_ORGANISATION, "o"))


@dataclass(frozen=True, slots=True)
class Arrival:
    """Who comes with a token: the token with its `user`, and the patient that this user is.

    `tries` is how often the account has come in the window that was asked about, this time
    included; None when nothing was to be counted.
    """

    token: AccessToken
    patient: Patient | None
    tries: int | None


# Nobody acts yet, so that row-level security shows nobody; the function in the database, which
# `accounts/0010_arrival` makes, says who this token is and no more.
_ARRIVE = (
    "SELECT"  # noqa: S608 - model columns
    f" {', '.join(f'{alias}_{column}' for one, alias in _ARRIVING for column in one.columns)},"
    " has_care_team, k_key_id, k_wrapped, tries"
    " FROM handrail_arrive(%(token_hash)s, %(now)s, %(today)s, %(counted_as)s, %(window_at)s)"
)


def find_arrival(
    token_hash: bytes, *, now: datetime, counted_as: str = "", window_at: datetime | None = None
) -> Arrival | None:
    """The live token of an open account with all that a phone's request needs; None for any other.

    With `counted_as`, the name of a limit, the coming is counted in the same statement.
    """
    row = one(
        _ARRIVE,
        {
            "token_hash": token_hash,
            "now": now,
            "today": now.date(),
            "counted_as": counted_as,
            "window_at": window_at or now,
        },
    )
    if row is None:
        return None
    token: AccessToken = _TOKEN.made(row)
    user = _USER.made(row[(start := len(_TOKEN.names)) :])
    attach(token, "user", user)
    start += len(_USER.names)
    has_care_team, key_id, wrapped, tries = row[-4:]
    if row[start] is None:
        return Arrival(token, None, tries)
    patient: Patient = _PATIENT.made(row[start:])
    attach(patient, "organisation", _ORGANISATION.made(row[start + len(_PATIENT.names) :]))
    attach(patient, "user", user)
    patient.had_care_team_on_arrival = has_care_team
    patient.key_on_arrival = Wrapped(key_id, wrapped) if key_id else None
    return Arrival(token, patient, tries)


def find_own_patient(user_id: UUID, *, lock: bool) -> Patient | None:
    """The patient that this account is, with their `organisation` and `user`.

    `lock` holds the patient's row until the transaction ends.
    """
    row = one(_OWN_LOCKED if lock else _OWN, [user_id])
    if row is None:
        return None
    patient: Patient = _PATIENT.made(row)
    start = len(_PATIENT.names)
    attach(patient, "organisation", _ORGANISATION.made(row[start:]))
    attach(patient, "user", _USER.made(row[start + len(_ORGANISATION.names) :]))
    return patient


_OWN = (
    f"SELECT {_PATIENT.listed('p')}, {_ORGANISATION.listed('o')}, {_USER.listed('u')}"  # noqa: S608 - model columns
    " FROM accounts_patient p JOIN accounts_organisation o ON o.id = p.organisation_id"
    " JOIN accounts_user u ON u.id = p.user_id WHERE p.user_id = %s"
)
_OWN_LOCKED = f"{_OWN} FOR NO KEY UPDATE OF p"


def has_care_team(patient_id: UUID, *, now: datetime) -> bool:
    """Whether anybody with an open account is on this patient's care team today."""
    values = {"patient_id": patient_id, "today": now.date()}
    (found,) = one(_HAS_TEAM, values) or (False,)
    return bool(found)


_HAS_TEAM = """
SELECT EXISTS (SELECT 1 FROM accounts_careteammember m
    JOIN accounts_clinician c ON c.id = m.clinician_id
    JOIN accounts_user u ON u.id = c.user_id AND u.is_active
    WHERE m.patient_id = %(patient_id)s AND m.started_on <= %(today)s
        AND (m.ended_on IS NULL OR m.ended_on > %(today)s))
"""
