"""Row-level security on alerts, on what was done about them, and on one's own plan."""

from __future__ import annotations

from django.db import migrations

from backend.postgresql.row_policies import cover, cover_through, uncover

COVERED = {
    "aftercare_alert": cover("aftercare_alert"),
    "aftercare_acutereport": cover("aftercare_acutereport"),
    "aftercare_alertevidence": cover_through(
        "aftercare_alertevidence", "alert_id", "aftercare_alert"
    ),
    "aftercare_alertact": cover_through("aftercare_alertact", "alert_id", "aftercare_alert"),
    "aftercare_nudge": cover("aftercare_nudge"),
    "aftercare_copingstep": cover("aftercare_copingstep"),
    "aftercare_supportcontact": cover("aftercare_supportcontact"),
    "aftercare_decision": cover("aftercare_decision"),
    "aftercare_promptschedule": cover("aftercare_promptschedule"),
    "aftercare_prompt": cover("aftercare_prompt"),
}


class Migration(migrations.Migration):
    dependencies = [
        ("aftercare", "0006_sealed_act_notes"),
        ("accounts", "0009_row_security"),
    ]

    operations = [
        migrations.RunSQL(sql=sql, reverse_sql=uncover(table)) for table, sql in COVERED.items()
    ]
