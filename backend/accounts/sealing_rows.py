"""For migrations that seal what was stored in the clear."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.db import migrations
from django.db.migrations.operations.base import Operation

from backend.accounts import patient_keys


@contextmanager
def every_row(cursor: Any, *tables: str) -> Iterator[None]:
    """The owner reads and writes all rows of these tables of theirs, past policies forced on them.

    In the transaction of a migration. A policy that stood in the way would not fail: it would hide
    the rows, and what is in them would be dropped unsealed. So from here on it fails.
    """
    cursor.execute("SET LOCAL row_security = off")
    cursor.execute(
        "SELECT relname FROM pg_class WHERE relname = ANY(%s) AND relforcerowsecurity",
        [list(tables)],
    )
    forced = [name for (name,) in cursor.fetchall()]
    for name in forced:
        cursor.execute(f"ALTER TABLE {name} NO FORCE ROW LEVEL SECURITY")
    yield
    # A table with a check still to come cannot be altered.
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for name in forced:
        cursor.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
    cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    cursor.execute("SET LOCAL row_security = on")


def sealed_column(
    table: str, column: str, *, patient: str = "t.patient_id", others: tuple[str, ...] = ()
) -> list[Operation]:
    """Makes a text column a sealed one and seals what is in it, by the key of each row's patient.

    `patient` is SQL for the patient's id of a row `t`; `others` are the tables that it reads.
    Needs PATIENT_KEYS where there is a text already.
    """
    fill = partial(_seal, table=table, column=column, patient=patient, others=others)
    return [
        migrations.RunSQL(f"ALTER TABLE {table} RENAME COLUMN {column} TO plain_{column}"),
        migrations.RunSQL(
            f"ALTER TABLE {table} ADD COLUMN {column} bytea NOT NULL DEFAULT ''::bytea"
        ),
        migrations.RunPython(fill),
        migrations.RunSQL(f"ALTER TABLE {table} DROP COLUMN plain_{column}"),
        migrations.RunSQL(f"ALTER TABLE {table} ALTER COLUMN {column} DROP DEFAULT"),
    ]


def _seal(
    _apps: Any,
    schema_editor: Any,
    *,
    table: str,
    column: str,
    patient: str,
    others: tuple[str, ...],
) -> None:
    tables = (table, *others, "accounts_patientkey")
    with schema_editor.connection.cursor() as cursor, every_row(cursor, *tables):
        cursor.execute(
            f"SELECT t.id, {patient}, t.plain_{column} FROM {table} t"  # noqa: S608 - our names
            f" WHERE t.plain_{column} <> ''"
        )
        for row_id, patient_id, text in cursor.fetchall():
            sealed = patient_keys.seal(patient_id, table, column, row_id, text)
            cursor.execute(
                f"UPDATE {table} SET {column} = %s WHERE id = %s",  # noqa: S608 - our names
                [sealed, row_id],
            )
