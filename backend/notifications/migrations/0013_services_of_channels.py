"""Of a channel with many services, those that refuse us: each is stopped by itself."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notifications", "0012_web_push_key")]

    operations = [
        migrations.AddField(
            model_name="channelstate",
            name="services",
            field=models.JSONField(db_default={}, default=dict),
        ),
    ]
