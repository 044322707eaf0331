"""A day on which an alert that somebody acted on is looked at again."""

from __future__ import annotations

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("aftercare", "0017_synced_own_items")]

    operations = [
        migrations.AddField(
            model_name="alert", name="look_again_on", field=models.DateField(null=True)
        ),
        migrations.AddField(
            model_name="alert", name="look_again_told_at", field=models.DateTimeField(null=True)
        ),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(
                fields=["look_again_on"],
                condition=Q(look_again_on__isnull=False, look_again_told_at__isnull=True),
                name="alert_look_again",
            ),
        ),
    ]
