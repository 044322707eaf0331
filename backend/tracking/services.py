"""Storing what a patient recorded, and asking for its evaluation.

Everything here runs inside the caller's transaction, which holds the patient's lock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection

from backend.accounts import audit
from backend.accounts.actor import Actor
from backend.queue import Job, enqueue_on_commit
from backend.tracking.models import CheckIn, CheckInRevision, NextSync, Source
from backend.tracking.reports import CheckInReport

# Column and PostgreSQL type of everything that a new check-in brings with it.
_COLUMNS = {
    "id": "uuid", "patient_id": "uuid", "kind": "text", "source": "text", "local_date": "date",
    "recorded_at": "timestamptz", "utc_offset_minutes": "smallint", "time_zone": "text",
    "received_at": "timestamptz", "is_late": "boolean", "content_digest": "bytea",
    "revision": "smallint", "mood": "smallint", "craving": "smallint", "confidence": "smallint",
    "sleep_hours": "numeric(4,2)", "sleep_quality": "smallint", "exercise_minutes": "smallint",
    "exercise_kind": "text", "use_reported": "boolean", "use_substances": "text[]",
    "use_on": "date", "withdrawal_reported": "boolean", "withdrawal_substances": "text[]",
    "withdrawal_symptoms": "text[]", "not_safe": "boolean", "cues": "text[]", "helped": "text[]",
    "note": "text", "note_shared": "boolean",
}  # fmt: skip
# One statement, whatever the number of rows, so that it is planned once: what is new, an audit row
# for each, and the row that says "assess me". What goes together by law goes together here.
_STORE = f"""
WITH given AS (
    SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb)
        AS row({", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())})
), stored AS (
    INSERT INTO tracking_checkin ({", ".join(_COLUMNS)})
    SELECT {", ".join(_COLUMNS)} FROM given
    ON CONFLICT (id) DO NOTHING RETURNING id, patient_id, local_date
), audited AS (
    {audit.insert_for_each("stored", "id")}
), asked AS (
    INSERT INTO tracking_assessmentrequest AS r
        (patient_id, requested_at, generation, assess_from, attempts)
    SELECT patient_id, %(now)s::timestamptz, 1, min(local_date), 0 FROM stored GROUP BY patient_id
    ON CONFLICT (patient_id) DO UPDATE SET generation = r.generation + 1,
        assess_from = LEAST(r.assess_from, EXCLUDED.assess_from), attempts = 0
)
SELECT id FROM stored
"""  # noqa: S608 - the names are constants of this module


@dataclass(frozen=True, slots=True)
class NewCheckIn:
    """A report about to be stored, and whether it came late."""

    report: CheckInReport
    is_late: bool


def store_check_ins(
    *,
    actor: Actor,
    patient_id: UUID,
    entries: Sequence[NewCheckIn],
    source: Source,
    now: datetime,
) -> dict[UUID, CheckIn]:
    """Stores those whose id is not taken, each with its audit row, in a fixed number of statements.

    Returns the stored rows by id; an id that is missing from it stood already. Leaves the row
    that says "assess me".
    """
    rows = [_row(entry, patient_id=patient_id, source=source, now=now) for entry in entries]
    parameters = audit.parameters_for_each(
        actor=actor,
        action="check_in.store",
        patient_id=patient_id,
        object_kind="check_in",
        facts={"source": source.value},
        now=now,
    )
    encoded = msgspec.json.encode([_json(row) for row in rows]).decode()
    with connection.cursor() as cursor:
        cursor.execute(_STORE, {"rows": encoded, "now": now, **parameters})
        taken = {found for (found,) in cursor.fetchall()}
    if taken:
        enqueue_on_commit(Job.ASSESS_DUE)
    return {row.pk: row for row in rows if row.pk in taken}


def _row(entry: NewCheckIn, *, patient_id: UUID, source: Source, now: datetime) -> CheckIn:
    return CheckIn(
        id=entry.report.id,
        patient_id=patient_id,
        source=source.value,
        received_at=now,
        is_late=entry.is_late,
        **_columns(entry.report),
    )


def _columns(report: CheckInReport) -> dict[str, Any]:
    values = {k: list(v) if isinstance(v, tuple) else v for k, v in report.items().items()}
    return {
        **values,
        "utc_offset_minutes": report.utc_offset_minutes,
        "content_digest": report.digest(),
    }


def _json(row: CheckIn) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in _COLUMNS}
    # PostgreSQL's own notation for bytes; JSON has none.
    values["content_digest"] = "\\x" + row.content_digest.hex()
    return values


def amend_check_in(
    *, actor: Actor, check_in: CheckIn, report: CheckInReport, now: datetime
) -> None:
    """Replaces the content, keeps the former as a revision, and asks for a new evaluation."""
    _keep_revision(actor, check_in, now=now)
    for name, value in _columns(report).items():
        setattr(check_in, name, value)
    check_in.revision += 1
    check_in.sync_seq = NextSync()
    check_in.save()
    check_in.refresh_from_db(fields=["sync_seq"])
    _changed(actor, check_in, "check_in.amend", now=now)


def withdraw_check_in(*, actor: Actor, check_in: CheckIn, now: datetime) -> None:
    """Takes a check-in back: it counts for nothing any more, and its revisions are kept."""
    _keep_revision(actor, check_in, now=now)
    check_in.withdrawn_at = now
    check_in.revision += 1
    check_in.sync_seq = NextSync()
    check_in.save(update_fields=["withdrawn_at", "revision", "sync_seq"])
    check_in.refresh_from_db(fields=["sync_seq"])
    _changed(actor, check_in, "check_in.withdraw", now=now)


def _keep_revision(actor: Actor, check_in: CheckIn, *, now: datetime) -> None:
    content = {name: value for name, value in _json(check_in).items() if name != "content_digest"}
    CheckInRevision.objects.create(
        check_in=check_in,
        revision=check_in.revision,
        content=msgspec.to_builtins(content),
        replaced_at=now,
        replaced_by_id=actor.user_id,
    )


def _changed(actor: Actor, check_in: CheckIn, action: str, *, now: datetime) -> None:
    audit.record(
        actor=actor,
        action=action,
        patient_id=check_in.patient_id,
        object_kind="check_in",
        object_id=check_in.pk,
        facts={"revision": check_in.revision},
    )
    request_assessment(patient_id=check_in.patient_id, since=check_in.local_date, now=now)


def request_assessment(*, patient_id: UUID, since: date, now: datetime) -> None:
    """Leaves one request per patient, with the earliest day that may have changed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO tracking_assessmentrequest AS r"
            " (patient_id, requested_at, generation, assess_from, attempts)"
            " VALUES (%s, %s, 1, %s, 0)"
            " ON CONFLICT (patient_id) DO UPDATE SET generation = r.generation + 1,"
            " assess_from = LEAST(r.assess_from, EXCLUDED.assess_from), attempts = 0",
            [patient_id, now, since],
        )
    enqueue_on_commit(Job.ASSESS_DUE)
