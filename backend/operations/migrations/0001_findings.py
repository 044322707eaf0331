"""The reconciler's findings, and an index that makes its look at the last day's check-ins cheap."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tracking", "0001_check_ins_and_assessments"),
        ("notifications", "0004_channels"),
    ]

    operations = [
        migrations.CreateModel(
            name="Finding",
            fields=[
                ("invariant", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("count", models.PositiveIntegerField()),
                ("checked_at", models.DateTimeField()),
                ("since", models.DateTimeField(null=True)),
                ("told_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddConstraint(
            model_name="finding",
            constraint=models.CheckConstraint(
                condition=models.Q(count=0, since__isnull=True, told_at__isnull=True)
                | models.Q(count__gt=0, since__isnull=False),
                name="finding_since_whole",
            ),
        ),
        # Belongs to the question and not to the model: tracking itself never asks by arrival.
        migrations.RunSQL(
            sql="CREATE INDEX check_in_arrival ON tracking_checkin"
            " USING brin (received_at) WITH (autosummarize = on)",
            reverse_sql="DROP INDEX check_in_arrival",
        ),
    ]
