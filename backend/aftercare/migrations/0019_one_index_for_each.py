"""A column with which an index of ours begins needs none of its own."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0015_quiet_hours_and_notices"),
        ("aftercare", "0018_looked_at_again"),
    ]

    operations = [
        migrations.AlterField(
            model_name="alert",
            name="patient",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="alerts",
                to="accounts.patient",
            ),
        ),
        migrations.AlterField(
            model_name="decision",
            name="patient",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="decisions",
                to="accounts.patient",
            ),
        ),
    ]
