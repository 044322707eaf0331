"""Devices that are browsers: a push service's address, and the keys that a browser gave."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0013_consented_situations")]

    operations = [
        migrations.AddField(
            model_name="device",
            name="push_keys",
            field=models.CharField(blank=True, db_default="", default="", max_length=200),
        ),
        migrations.AlterField(
            model_name="device",
            name="kind",
            field=models.CharField(
                choices=[("fcm", "Fcm"), ("web_push", "Web Push")], default="fcm", max_length=8
            ),
        ),
        migrations.AlterField(
            model_name="device",
            name="target_kind",
            field=models.CharField(
                choices=[("token", "Token"), ("fid", "Fid"), ("browser", "Browser")], max_length=8
            ),
        ),
    ]
