"""The index of a person's days carries their values, and is kept good for reading alone.

A page of the table that has changed since the last vacuum has to be looked at beside the index.
New rows are the ones that are read most, so vacuum comes after every hundredth of new ones, and
not, as it would by itself, after every fifth.
"""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tracking", "0001_check_ins_and_assessments")]

    operations = [
        migrations.RemoveIndex(model_name="checkin", name="check_in_patient_day"),
        migrations.AddIndex(
            model_name="checkin",
            index=models.Index(
                fields=["patient", "-local_date", "-recorded_at", "-received_at"],
                include=(
                    "kind",
                    "withdrawn_at",
                    "mood",
                    "craving",
                    "sleep_hours",
                    "exercise_minutes",
                    "confidence",
                ),
                name="check_in_patient_day",
            ),
        ),
        migrations.RunSQL(
            "ALTER TABLE tracking_checkin SET (autovacuum_vacuum_insert_scale_factor = 0.01)",
            "ALTER TABLE tracking_checkin RESET (autovacuum_vacuum_insert_scale_factor)",
        ),
    ]
