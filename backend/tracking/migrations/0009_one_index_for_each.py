"""A column with which an index of ours begins needs none of its own."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0015_quiet_hours_and_notices"),
        ("tracking", "0008_packed_windows"),
    ]

    operations = [
        migrations.AlterField(
            model_name="assessment",
            name="patient",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="assessments",
                to="accounts.patient",
            ),
        ),
        migrations.AlterField(
            model_name="checkin",
            name="patient",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="check_ins",
                to="accounts.patient",
            ),
        ),
    ]
