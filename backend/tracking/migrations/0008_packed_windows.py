"""Everyone's recent days in one row, with the same policies as the rows they are made of."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

from backend.postgresql.row_policies import cover, uncover

TABLE = "tracking_packedwindow"


class Migration(migrations.Migration):
    dependencies = [
        ("tracking", "0007_row_security"),
        ("accounts", "0009_row_security"),
    ]

    operations = [
        migrations.CreateModel(
            name="PackedWindow",
            fields=[
                (
                    "patient",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="packed_window",
                        serialize=False,
                        to="accounts.patient",
                    ),
                ),
                ("last_on", models.DateField()),
                ("days", models.BinaryField()),
                ("ruleset", models.CharField(max_length=40)),
            ],
        ),
        migrations.RunSQL(sql=cover(TABLE), reverse_sql=uncover(TABLE)),
    ]
