"""What clinicians write down about an alert is sealed under the patient's key, too.

Needs PATIENT_KEYS where there is such a note already.
"""

from __future__ import annotations

from django.db import migrations

import backend.accounts.sealed_text
from backend.accounts.sealing_rows import sealed_column

PATIENT = "(SELECT a.patient_id FROM aftercare_alert a WHERE a.id = t.alert_id)"


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_patient_keys"),
        ("aftercare", "0004_coping_prompts_and_decisions"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=sealed_column(
                "aftercare_alertact", "note", patient=PATIENT, others=("aftercare_alert",)
            ),
            state_operations=[
                migrations.AlterField(
                    model_name="alertact",
                    name="note",
                    field=backend.accounts.sealed_text.SealedText(patient="alert.patient_id"),
                ),
            ],
        ),
    ]
