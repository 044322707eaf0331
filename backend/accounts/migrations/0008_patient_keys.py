"""A key for each patient, under which what they write is sealed."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

GRANTS = [
    "REVOKE UPDATE, DELETE, TRUNCATE ON accounts_patientkey FROM handrail_web",
    "REVOKE TRUNCATE ON accounts_patientkey FROM handrail_worker",
]


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_consents")]

    operations = [
        migrations.CreateModel(
            name="PatientKey",
            fields=[
                (
                    "patient",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="accounts.patient",
                    ),
                ),
                ("key_id", models.CharField(db_index=True, max_length=32)),
                ("wrapped", models.BinaryField()),
                ("made_at", models.DateTimeField()),
            ],
        ),
        migrations.RunSQL(sql=GRANTS, reverse_sql=migrations.RunSQL.noop),
    ]
