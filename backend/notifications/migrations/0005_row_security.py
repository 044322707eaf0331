"""Row-level security on messages: those about a patient one may see, and one's own addresses."""

from __future__ import annotations

from django.db import migrations

from backend.postgresql.row_policies import (
    ACCOUNT,
    cover_account,
    cover_by_rule,
    cover_through,
    seen,
    uncover,
)

COVERED = {
    # Whoever is shown a patient may have others told of them: who opens a record in an emergency.
    "notifications_notification": cover_by_rule(
        "notifications_notification", f"{seen('patient_id')} OR recipient_id = {ACCOUNT}"
    ),
    "notifications_contactpoint": cover_account("notifications_contactpoint"),
    "notifications_deliveryattempt": cover_through(
        "notifications_deliveryattempt", "notification_id", "notifications_notification"
    ),
}


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0004_channels"),
        ("accounts", "0009_row_security"),
    ]

    operations = [
        migrations.RunSQL(sql=sql, reverse_sql=uncover(table)) for table, sql in COVERED.items()
    ]
