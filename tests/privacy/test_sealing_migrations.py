"""What was stored in the clear before is sealed by the migrations, and reads as before."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from backend import sealing
from backend.accounts.patient_keys import key_ring
from backend.sealing import place_of
from backend.tracking.reports import CheckInReport
from local.pytest_servers import DatabaseUrls, create_empty_database, database_name
from tests.conftest import ROOT

BEFORE = {"tracking": "0003", "aftercare": "0002"}
AFTER = ("tracking", "aftercare")
ORGANISATION, PATIENT, CHECK_IN, ALERT, ACT, USER = (uuid4() for _ in range(6))
AT = datetime(2026, 3, 2, 20, 15, tzinfo=UTC)
CANARY = "canary from before"


def migrate(urls: DatabaseUrls, *target: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "migrate", *target, "--verbosity", "0"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_OWNER_URL": urls.owner, "HANDRAIL_DATABASE_ROLE": "owner"},
        check=True,
        timeout=120,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def upgraded() -> Iterator[psycopg.Connection]:
    """A database with a note, a revision and an act in the clear, brought to today's tables."""
    urls = create_empty_database(f"{database_name()}_before")
    for app, name in BEFORE.items():
        migrate(urls, app, name)
    with psycopg.connect(urls.owner, autocommit=True) as connection:
        fill(connection)
        for app in AFTER:
            migrate(urls, app)
        yield connection


def fill(connection: psycopg.Connection) -> None:
    connection.execute(
        "INSERT INTO accounts_organisation (id, name, country, time_zone, language,"
        " monitoring_hours, created_at) VALUES (%s, 'R', 'US', 'UTC', 'en', '{}', now())",
        [ORGANISATION],
    )
    connection.execute(
        "INSERT INTO accounts_patient (id, organisation_id, given_name, family_name, country,"
        " time_zone, external_ref, created_at) VALUES (%s, %s, 'A', '', 'US', 'UTC', '', now())",
        [PATIENT, ORGANISATION],
    )
    connection.execute(
        "INSERT INTO tracking_checkin (id, patient_id, kind, source, local_date, recorded_at,"
        " utc_offset_minutes, time_zone, received_at, is_late, content_digest, revision, mood,"
        " sleep_hours, exercise_kind, use_substances, withdrawal_substances, withdrawal_symptoms,"
        " not_safe, cues, helped, note, note_shared)"
        " VALUES (%s, %s, 'daily', 'app', '2026-03-02', %s, -300, '', now(), false, %s, 2, 6, 7.5,"
        " '', '{}', '{}', '{}', false, '{payday}', '{}', %s, true)",
        [CHECK_IN, PATIENT, AT, b"x" * 32, CANARY],
    )
    connection.execute(
        "INSERT INTO tracking_checkinrevision (check_in_id, revision, content, replaced_at)"
        " VALUES (%s, 1, %s, now())",
        [CHECK_IN, Jsonb({"mood": 5, "note": CANARY})],
    )
    connection.execute(
        "INSERT INTO aftercare_alert (id, patient_id, condition, severity, status, is_historical,"
        " reasons, opened_at, evidence_at, round, level, ladder, first_on, last_on, outcome)"
        " VALUES (%s, %s, 'mood', 'high', 'open', false, '[]', now(), now(), 1, 0, '[]',"
        " '2026-03-02', '2026-03-02', '')",
        [ALERT, PATIENT],
    )
    connection.execute(
        "INSERT INTO aftercare_alertact (id, alert_id, at, kind, note, facts)"
        " VALUES (%s, %s, now(), 'acted', %s, '{}')",
        [ACT, ALERT, CANARY],
    )


def opened(connection: psycopg.Connection, sealed: bytes, *place: object) -> str:
    row = connection.execute("SELECT key_id, wrapped FROM accounts_patientkey").fetchone()
    assert row is not None
    key = key_ring().unwrap(row[1], key_id=row[0], owner=PATIENT.bytes)
    return sealing.unseal(key, sealed, place=place_of(*place)).decode()  # type: ignore[arg-type]


def one(connection: psycopg.Connection, sql: str) -> tuple[object, ...]:
    row = connection.execute(sql).fetchone()
    assert row is not None
    return row


def test_a_note_is_sealed_and_what_it_is_compared_by_is_made_anew(upgraded: psycopg.Connection):
    note, digest = one(upgraded, "SELECT note, content_digest FROM tracking_checkin")
    assert isinstance(note, bytes)
    assert CANARY.encode() not in note
    assert opened(upgraded, note, "tracking_checkin", "note", CHECK_IN) == CANARY
    sent = datetime.fromisoformat("2026-03-02T15:15:00-05:00")
    report = CheckInReport(
        id=CHECK_IN, kind="daily", local_date=AT.date(), recorded_at=sent, mood=6,
        sleep_hours=Decimal("7.5"), cues=("payday",), note=CANARY, note_shared=True,
    )  # fmt: skip
    assert digest == report.digest()


def test_a_revision_is_sealed(upgraded: psycopg.Connection):
    (content,) = one(upgraded, "SELECT content FROM tracking_checkinrevision")
    assert isinstance(content, dict) and content["mood"] == 5
    place = ("tracking_checkinrevision", "content.note", f"{CHECK_IN}:1")
    assert opened(upgraded, base64.b64decode(content["note"]), *place) == CANARY


def test_what_was_written_about_an_alert_is_sealed(upgraded: psycopg.Connection):
    (note,) = one(upgraded, "SELECT note FROM aftercare_alertact")
    assert isinstance(note, bytes)
    assert opened(upgraded, note, "aftercare_alertact", "note", ACT) == CANARY
