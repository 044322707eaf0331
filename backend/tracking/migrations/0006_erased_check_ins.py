"""What keeps an old phone from bringing back what was erased."""

from __future__ import annotations

from django.db import migrations, models

GRANTS = [
    "REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON tracking_erasedcheckin FROM handrail_web",
    "REVOKE UPDATE, DELETE, TRUNCATE ON tracking_erasedcheckin FROM handrail_worker",
    "REVOKE DELETE, TRUNCATE ON tracking_checkin, tracking_assessment FROM handrail_web",
    # Of history, nobody who serves can take a row away; see privacy/0004.
    "REVOKE UPDATE, DELETE, TRUNCATE ON tracking_checkinrevision FROM handrail_web, handrail_worker",
]


class Migration(migrations.Migration):
    dependencies = [("tracking", "0005_encrypted_notes")]

    operations = [
        migrations.CreateModel(
            name="ErasedCheckIn",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("erased_at", models.DateTimeField()),
            ],
        ),
        migrations.RunSQL(sql=GRANTS, reverse_sql=migrations.RunSQL.noop),
    ]
