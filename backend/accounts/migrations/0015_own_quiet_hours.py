"""Quiet hours as each patient wants them."""

from __future__ import annotations

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0014_browsers")]

    operations = [
        migrations.AddField(
            model_name="patient",
            name="quiet_hours",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.TimeField(), null=True, size=2
            ),
        ),
    ]
