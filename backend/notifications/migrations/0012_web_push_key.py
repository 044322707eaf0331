"""What browsers subscribe with, beside the channel that sends to them."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notifications", "0010_ways")]

    operations = [
        migrations.AddField(
            model_name="channelstate",
            name="public_key",
            field=models.CharField(blank=True, db_default="", default="", max_length=120),
        ),
    ]
