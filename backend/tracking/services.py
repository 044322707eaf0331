"""Storing what a patient recorded, and asking for its evaluation.

`store_check_ins` takes the patient's lock; for the rest the caller holds it, in a transaction.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection, transaction

from backend.accounts import audit, patient_keys
from backend.accounts.access import HOLD_PATIENT, hold_patient
from backend.accounts.actor import Actor
from backend.queue import Job, enqueue_on_commit
from backend.rows import every, shape
from backend.sealing import Wrapped
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
    "note": "bytea", "note_shared": "boolean",
}  # fmt: skip
FIRST_REVISION = 1
_LISTS = ("use_substances", "withdrawal_substances", "withdrawal_symptoms", "cues", "helped")
_ROW = shape(CheckIn)
_NOTE_PLACE = (CheckIn._meta.db_table, "note")
# One statement, whatever the number of rows, so that it is planned once: the patient's lock, what
# is new, an audit row for each, and the row that says "assess me". What goes together by law goes
# together here.
_STORE = f"""
WITH held AS MATERIALIZED (
    {HOLD_PATIENT.format(patient_id="%(patient_id)s")}
), stored AS (
    INSERT INTO tracking_checkin ({", ".join(_COLUMNS)})
    SELECT {", ".join(f"row.{name}" for name in _COLUMNS)} FROM held,
        jsonb_to_recordset(%(rows)s::jsonb)
        AS row({", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())})
    WHERE (SELECT true FROM tracking_erasedcheckin e WHERE e.id = row.id) IS NULL
        AND (%(key)s::bytea IS NULL OR (SELECT handrail_key_stands(held.id, %(key)s::bytea)))
    ON CONFLICT (id) DO NOTHING RETURNING id, patient_id, local_date, sync_seq
), audited AS (
    {audit.insert_for_each("stored", "id", "%(act)s::jsonb")}
), asked AS (
    INSERT INTO tracking_assessmentrequest AS r
        (patient_id, requested_at, generation, assess_from, attempts)
    SELECT patient_id, %(now)s::timestamptz, 1, min(local_date), 0 FROM stored GROUP BY patient_id
    ON CONFLICT (patient_id) DO UPDATE SET generation = r.generation + 1,
        assess_from = LEAST(r.assess_from, EXCLUDED.assess_from), attempts = 0
)
SELECT id, sync_seq FROM stored
"""  # noqa: S608 - the names are constants of this module


@dataclass(slots=True)
class StoredCheckIn:
    """What was stored, by column. Of a month's days hardly one is ever asked for as a model."""

    values: Mapping[str, Any]
    _row: CheckIn | None = None

    @property
    def pk(self) -> UUID:
        found: UUID = self.values["id"]
        return found

    @property
    def revision(self) -> int:
        return FIRST_REVISION

    @property
    def cues(self) -> list[str]:
        found: list[str] = self.values["cues"]
        return found

    @property
    def row(self) -> CheckIn:
        """As reading it would give it."""
        if self._row is None:
            self._row = _ROW.built([self.values[name] for name in _ROW.names])
        return self._row


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
    key: Wrapped | None = None,
) -> dict[UUID, StoredCheckIn]:
    """Stores those whose id is not taken, each with its audit row, in one statement.

    Holds the patient's row from then on until the transaction ends; where there is none around it,
    the statement is one. Returns the stored rows by id; an id that is missing from it stood
    already, or was erased. Leaves the row that says "assess me". `key` is the patient's, where it
    was read before: nothing is stored under it that it does not outlive.
    """
    act = audit.act_for_each(
        actor=actor,
        action="check_in.store",
        patient_id=patient_id,
        object_kind="check_in",
        facts={"source": source.value},
        now=now,
    )
    given = [_values(entry, patient_id=patient_id, source=source, now=now) for entry in entries]
    parameters: dict[str, Any] = {
        "patient_id": patient_id,
        "act": msgspec.json.encode(act).decode(),
        "now": now,
    }
    places = _written(parameters, given, key=key)
    if places:
        enqueue_on_commit(Job.ASSESS_DUE)
    stored = {}
    for values in given:
        place = places.get(values["id"])
        if place is not None:
            values["sync_seq"] = place
            stored[values["id"]] = StoredCheckIn(values)
    return stored


def _values(
    entry: NewCheckIn, *, patient_id: UUID, source: Source, now: datetime
) -> dict[str, Any]:
    """A new row, by column."""
    return {
        "id": entry.report.id,
        "patient_id": patient_id,
        "source": source.value,
        "received_at": now,
        "is_late": entry.is_late,
        "revision": FIRST_REVISION,
        "withdrawn_at": None,
        **_columns(entry.report),
    }


def _written(
    parameters: Mapping[str, Any], given: Sequence[Mapping[str, Any]], *, key: Wrapped | None
) -> dict[UUID, int]:
    """Stores these rows; the place in the sequence of each that is new."""
    patient_id: UUID = parameters["patient_id"]
    texts = [(*_NOTE_PLACE, values["id"], values["note"]) for values in given]
    if not any(text for *_place, text in texts):
        return _stored(parameters, given, [b""] * len(given))
    if key is not None:
        notes = patient_keys.seal_under(patient_keys.opened(patient_id, key), texts)
        places = _stored({**parameters, "key": key.content}, given, notes)
        if places:
            return places
        # All of them stood, or the key that was read with the token stands no more.
    with transaction.atomic():
        # Nothing may be sealed under a key that somebody destroys at this moment.
        hold_patient(patient_id)
        return _stored(parameters, given, patient_keys.seal_all(patient_id, texts))


def _stored(
    parameters: Mapping[str, Any], given: Sequence[Mapping[str, Any]], notes: Sequence[bytes]
) -> dict[UUID, int]:
    rows = [_as_json(values, note) for values, note in zip(given, notes, strict=True)]
    written = msgspec.json.encode(rows).decode()
    return dict(every(_STORE, {"key": None, **parameters, "rows": written}))


def _as_json(values: Mapping[str, Any], note: bytes) -> dict[str, Any]:
    # PostgreSQL's own notation for bytes; JSON has none.
    digest = "\\x" + values["content_digest"].hex()
    return {**values, "content_digest": digest, "note": "\\x" + note.hex()}


def _columns(report: CheckInReport) -> dict[str, Any]:
    values = report.items()
    for name in _LISTS:
        values[name] = list(values[name])
    values["utc_offset_minutes"] = report.utc_offset_minutes
    values["content_digest"] = report.digest()
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
    note = patient_keys.seal(
        check_in.patient_id,
        CheckInRevision._meta.db_table,
        "content.note",
        f"{check_in.pk}:{check_in.revision}",
        check_in.note,
    )
    kept = {n: getattr(check_in, n) for n in _COLUMNS if n not in ("content_digest", "note")}
    content = {**kept, "note": base64.b64encode(note).decode()}
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
