"""Coping steps and support contacts take their place in what phones have yet to see."""

from __future__ import annotations

from django.db import migrations, models

import backend.tracking.models


class Migration(migrations.Migration):
    dependencies = [
        ("aftercare", "0014_asking_contacts"),
        ("tracking", "0007_row_security"),
    ]

    operations = [
        migrations.AddField(
            model_name="copingstep",
            name="sync_seq",
            field=models.BigIntegerField(db_default=backend.tracking.models.NextSync()),
        ),
        migrations.AddField(
            model_name="supportcontact",
            name="sync_seq",
            field=models.BigIntegerField(db_default=backend.tracking.models.NextSync()),
        ),
        migrations.AddIndex(
            model_name="copingstep",
            index=models.Index(fields=["patient", "sync_seq"], name="coping_step_sync"),
        ),
        migrations.AddIndex(
            model_name="supportcontact",
            index=models.Index(fields=["patient", "sync_seq"], name="support_contact_sync"),
        ),
    ]
