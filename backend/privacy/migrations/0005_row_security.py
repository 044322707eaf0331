"""Row-level security on what left the record, and on its erasure."""

from __future__ import annotations

from django.db import migrations

from backend.postgresql.row_policies import ADMINISTERS, cover, uncover

COVERED = {
    "privacy_disclosure": cover("privacy_disclosure"),
    "privacy_export": cover("privacy_export"),
    "privacy_erasure": cover("privacy_erasure", or_else=ADMINISTERS),
    "privacy_legalhold": cover("privacy_legalhold", or_else=ADMINISTERS),
}


class Migration(migrations.Migration):
    dependencies = [
        ("privacy", "0004_exports_and_erasures"),
        ("accounts", "0009_row_security"),
    ]

    operations = [
        migrations.RunSQL(sql=sql, reverse_sql=uncover(table)) for table, sql in COVERED.items()
    ]
