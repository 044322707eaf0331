"""Filling the tables of a bench: rows that look like years of use, made by PostgreSQL itself."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from math import ceil
from typing import LiteralString

import numpy as np
import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from backend.accounts.demo import ACTOR
from backend.accounts.models import Clinician, ClinicianRole, Patient
from backend.accounts.services import add_clinician, add_organisation
from backend.tracking.trends import SIGNALS, assess_window
from backend.tracking.windows import latest_days, load_windows

DAYS = 90
PATIENTS_OF_AN_ORGANISATION = 1000
ANSWERED = 0.7
PASSWORD = "measured-not-guessed"

ORGANISATIONS: LiteralString = """
INSERT INTO accounts_organisation
SELECT (o).* FROM (
    SELECT jsonb_populate_record(o, jsonb_build_object('id', gen_random_uuid())) AS o
      FROM accounts_organisation o, generate_series(2, %(organisations)s)) AS others
"""
PATIENTS: LiteralString = """
INSERT INTO accounts_patient (id, organisation_id, given_name, family_name, country, time_zone,
                              external_ref, enrolled_at, created_at)
SELECT gen_random_uuid(), o.id, 'Person ' || n, '', 'US', 'America/New_York',
       'bench-' || n, now() - interval '120 days', now()
  FROM generate_series(%(first)s::int, %(people)s) AS n
  JOIN (SELECT id, row_number() OVER (ORDER BY id <> %(organisation)s) - 1 AS place
          FROM accounts_organisation) AS o ON place = n %% %(organisations)s
"""
_TIES: LiteralString = """
INSERT INTO accounts_careteammember (id, patient_id, clinician_id, role, started_on)
SELECT gen_random_uuid(), id, %(clinician)s, 'therapist', CURRENT_DATE - 120
  FROM accounts_patient
 WHERE split_part(external_ref, '-', 2)::int %% %(every)s = 0 LIMIT %(caseload)s
"""
# One in 20 declines over the last two weeks, one in 17 has been silent for five days.
_DAY: LiteralString = """
INSERT INTO tracking_checkin (id, patient_id, kind, source, local_date, recorded_at,
    utc_offset_minutes, time_zone, received_at, is_late, content_digest, revision, mood, craving,
    confidence, sleep_hours, sleep_quality, exercise_minutes, exercise_kind, use_reported,
    use_substances, withdrawal_substances, withdrawal_symptoms, not_safe, cues, helped, note,
    note_shared)
SELECT gen_random_uuid(), id, 'daily', 'app', %(day)s, at, -300, 'America/New_York', at, false,
       sha256(id::text::bytea), 1, 6 - worse + (random() * 3)::int, 2 + worse + (random() * 3)::int,
       7 - worse + (random() * 2)::int, 7 - worse + (random() * 8)::int / 4.0,
       3 + (random() * 2)::int, (random() * 9)::int * 5, 'walk', false,
       '{}', '{}', '{}', false, '{}', '{}', '', false
  FROM accounts_patient,
       LATERAL (SELECT abs(hashtext(external_ref)) AS n) AS person,
       LATERAL (SELECT CASE WHEN n %% 20 = 0 AND %(ago)s < 14 THEN 3 ELSE 0 END AS worse,
                       %(day)s::timestamptz + interval '20 hours' AS at) AS facts
 WHERE random() < %(answered)s AND NOT (n %% 17 = 0 AND %(ago)s < 5)
"""
_PAST_ASSESSMENTS: LiteralString = """
INSERT INTO tracking_assessment
SELECT gen_random_uuid(), c.local_date, c.received_at, a.ruleset, 'steady', a.facts,
       a.input_digest, a.patient_id
  FROM tracking_assessment a JOIN tracking_checkin c USING (patient_id)
 WHERE c.local_date < a.as_of_on
"""
_OPEN_ALERTS: LiteralString = """
INSERT INTO aftercare_alert (id, patient_id, condition, severity, status, is_historical, reasons,
    opened_at, evidence_at, due_at, round, level, ladder, first_on, last_on, outcome)
SELECT gen_random_uuid(), patient_id, 'craving', 'high', 'open', false, %(reasons)s,
       now() - interval '1 hour', now() - interval '1 hour',
       now() + n * interval '1 minute', 1, 0, '[]', CURRENT_DATE, CURRENT_DATE, ''
  FROM (SELECT patient_id, row_number() OVER (ORDER BY patient_id) AS n
          FROM accounts_careteammember) AS tied
 WHERE n %% 10 = 0
"""
_PAST_ALERTS: LiteralString = """
INSERT INTO aftercare_alert (id, patient_id, condition, severity, status, is_historical, reasons,
    opened_at, evidence_at, round, level, ladder, first_on, last_on, outcome, resolved_at)
SELECT gen_random_uuid(), p.id, 'craving', 'high', 'resolved', false, %(reasons)s,
       at, at, 1, 0, '[]', at::date, at::date, 'reached', at
  FROM accounts_patient p, generate_series(now() - interval '80 days', now(), '20 days') AS at
"""
REASONS = [{"rule": "craving", "severity": "high", "facts": {"value": 9}, "on": "2026-01-05"}]


def fill_caseload(*, rows: int, caseload: int = 200) -> Clinician:
    """`rows` check-ins (about) of many patients, `caseload` of them one therapist's.

    Organisations have a thousand patients each, the therapist's as well. Rows lie in the order of
    their days, as they would have arrived. Returns the therapist.
    """
    organisation = add_organisation(
        actor=ACTOR, name="Bench", country="US", time_zone="America/New_York"
    )
    therapist = add_clinician(
        actor=ACTOR,
        organisation=organisation,
        email="bench@example.org",
        password=PASSWORD,
        display_name="Bench",
        roles=[ClinicianRole.THERAPIST],
    )
    people = max(caseload, ceil(rows / (DAYS * ANSWERED)))
    organisations = ceil(people / PATIENTS_OF_AN_ORGANISATION)
    # Spread over the organisation, so that no two of them are neighbours in the table.
    apart = organisations * max(1, people // (caseload * organisations))
    facts = {
        "organisation": organisation.pk,
        "organisations": organisations,
        "clinician": therapist.pk,
        "first": 1,
        "people": people,
        "caseload": caseload,
        "every": apart,
        "reasons": Jsonb(REASONS),
    }
    with psycopg.connect(os.environ["BENCH_SUPERUSER_URL"], autocommit=True) as connection:
        # Foreign keys hold by construction; checking five million of them takes minutes.
        connection.execute("SET session_replication_role = replica")
        connection.execute(ORGANISATIONS, facts)
        connection.execute(PATIENTS, facts)
        connection.execute(_TIES, facts)
        _fill_check_ins(connection)
        connection.execute("ANALYZE")
        _store_assessments(connection)
        connection.execute(_PAST_ASSESSMENTS)
        connection.execute(_OPEN_ALERTS, facts)
        connection.execute(_PAST_ALERTS, facts)
        connection.execute("ANALYZE")
    return therapist


def _fill_check_ins(connection: psycopg.Connection) -> None:
    """All but the last day without indexes, which are then built in one go."""
    indexes = connection.execute(
        "SELECT indexname, indexdef FROM pg_indexes"
        " WHERE tablename = 'tracking_checkin' AND indexname <> 'tracking_checkin_pkey'"
    ).fetchall()
    for name, _definition in indexes:
        connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
    today = _today()

    def fill(ago: int) -> None:
        facts = {"day": today - timedelta(days=ago), "ago": ago, "answered": ANSWERED}
        connection.execute(_DAY, facts)

    for ago in range(DAYS - 1, 0, -1):
        fill(ago)
    for _name, definition in indexes:
        connection.execute(definition)
    connection.execute("VACUUM tracking_checkin")
    # Today's have come since: no real table is ever vacuumed to its last row.
    fill(0)


def _store_assessments(connection: psycopg.Connection) -> None:
    """What the product's own evaluation says about each of the caseload."""
    ids = list(Patient.objects.filter(care_team__isnull=False).values_list("pk", flat=True))
    windows = load_windows(latest_days(ids))
    found = assess_window(windows.raw, SIGNALS)
    now = datetime.now(UTC)
    with connection.cursor().copy(
        "COPY tracking_assessment (id, patient_id, as_of_on, assessed_at, ruleset, trend, facts,"
        " input_digest) FROM STDIN"
    ) as copy:
        for row, patient_id in enumerate(windows.patient_ids):
            facts = found.facts(row, as_of=windows.as_of[row])
            copy.write_row(
                (
                    _row_id(row),
                    patient_id,
                    windows.as_of[row],
                    now,
                    facts["ruleset"],
                    facts["trend"],
                    Jsonb(facts),
                    windows.digest(row),
                )
            )


def _row_id(row: int) -> str:
    return str(np.base_repr(row, 16)).lower().rjust(32, "0")


def _today() -> date:
    return datetime.now(UTC).date()
