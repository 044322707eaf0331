"""Quiet hours as each patient wants them; mails that tell of a removed second step."""

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
        migrations.AddField(
            model_name="user",
            name="notice_due_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(
                condition=models.Q(("notice_due_at__isnull", False)),
                fields=["notice_due_at"],
                name="user_notice_due",
            ),
        ),
    ]
