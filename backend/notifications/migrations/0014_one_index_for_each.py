"""A column with which an index of ours begins needs none of its own."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0015_quiet_hours_and_notices"),
        ("notifications", "0013_services_of_channels"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="deliveryattempt",
            name="notification",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="delivery_attempts",
                to="notifications.notification",
            ),
        ),
        migrations.AlterField(
            model_name="notification",
            name="recipient",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="notifications",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        # Renamed, not made again: that would hold up whoever writes messages.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="notification",
                    name="key",
                    field=models.CharField(max_length=200),
                ),
                migrations.AddConstraint(
                    model_name="notification",
                    constraint=models.UniqueConstraint(
                        fields=("key",), name="notification_key_once"
                    ),
                ),
            ],
            database_operations=[
                migrations.RunSQL(
                    "ALTER TABLE notifications_notification RENAME CONSTRAINT"
                    " notifications_notification_key_key TO notification_key_once",
                    "ALTER TABLE notifications_notification RENAME CONSTRAINT"
                    " notification_key_once TO notifications_notification_key_key",
                ),
                migrations.RunSQL(
                    "DROP INDEX notifications_notification_key_21d62a12_like",
                    "CREATE INDEX notifications_notification_key_21d62a12_like"
                    " ON notifications_notification (key varchar_pattern_ops)",
                ),
            ],
        ),
    ]
