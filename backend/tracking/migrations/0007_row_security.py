"""Row-level security on what a patient records and on what was said about it."""

from __future__ import annotations

from django.db import migrations

from backend.postgresql.row_policies import cover, cover_through, uncover

COVERED = {
    "tracking_checkin": cover("tracking_checkin"),
    "tracking_checkinrevision": cover_through(
        "tracking_checkinrevision", "check_in_id", "tracking_checkin"
    ),
    "tracking_assessmentrequest": cover("tracking_assessmentrequest"),
    "tracking_baselinestart": cover("tracking_baselinestart"),
    "tracking_assessment": cover("tracking_assessment"),
}


class Migration(migrations.Migration):
    dependencies = [
        ("tracking", "0006_erased_check_ins"),
        ("accounts", "0009_row_security"),
    ]

    operations = [
        migrations.RunSQL(sql=sql, reverse_sql=uncover(table)) for table, sql in COVERED.items()
    ]
