"""Notes are sealed under their patient's key: those that stand already, and those in revisions.

What a check-in is compared by leaves the note out from now on: a digest of a short note could be
guessed. Needs PATIENT_KEYS where there is a note already.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import timedelta, timezone
from decimal import Decimal
from typing import Any

from django.db import migrations

import backend.accounts.sealed_text
from backend.accounts import patient_keys
from backend.accounts.sealing_rows import every_row, sealed_column
from backend.tracking.reports import ITEMS, CheckInReport

TABLES = ("tracking_checkin", "tracking_checkinrevision", "accounts_patientkey")
BATCH = 1000
COLUMNS = [name for name in ITEMS if name not in ("note", "recorded_at")]


def compare_without_notes(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor, every_row(cursor, *TABLES):
        for rows in batches(
            cursor,
            f"SELECT id, recorded_at, utc_offset_minutes, {', '.join(COLUMNS)}"  # noqa: S608
            " FROM tracking_checkin WHERE note <> ''",
        ):
            cursor.executemany(
                "UPDATE tracking_checkin SET content_digest = %s WHERE id = %s",
                [(report(row).digest(), row[0]) for row in rows],
            )


def report(row: Any) -> CheckInReport:
    """What was sent, as it was before it was stored."""
    values = dict(zip(COLUMNS, row[3:], strict=True))
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    if values["sleep_hours"] is not None:
        values["sleep_hours"] = Decimal(str(float(values["sleep_hours"])))
    here = timezone(timedelta(minutes=row[2]))
    return CheckInReport(id=row[0], recorded_at=row[1].astimezone(here), **values)


def seal_revisions(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor, every_row(cursor, *TABLES):
        for rows in batches(
            cursor,
            "SELECT r.id, c.patient_id, r.content->>'note', r.check_in_id, r.revision"
            " FROM tracking_checkinrevision r JOIN tracking_checkin c ON c.id = r.check_in_id"
            " WHERE r.content->>'note' <> ''",
        ):
            cursor.executemany(
                "UPDATE tracking_checkinrevision"
                " SET content = jsonb_set(content, '{note}', to_jsonb(%s::text)) WHERE id = %s",
                [(sealed_revision(row), row[0]) for row in rows],
            )


def sealed_revision(row: Any) -> str:
    place = f"{row[3]}:{row[4]}"
    made = patient_keys.seal(row[1], "tracking_checkinrevision", "content.note", place, row[2])
    return base64.b64encode(made).decode()


def batches(cursor: Any, sql: str) -> Iterator[list[Any]]:
    cursor.execute(sql)
    found = cursor.fetchall()
    for start in range(0, len(found), BATCH):
        yield found[start : start + BATCH]


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_patient_keys"),
        ("tracking", "0003_baselines_limits_and_sweeps"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                *sealed_column("tracking_checkin", "note"),
                migrations.RunPython(compare_without_notes),
                migrations.RunPython(seal_revisions),
            ],
            state_operations=[
                migrations.AlterField(
                    model_name="checkin",
                    name="note",
                    field=backend.accounts.sealed_text.SealedText(),
                ),
            ],
        ),
    ]
