"""The situations in which a support contact may be told, named by the consent."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0011_arrival_with_key"),
    ]

    operations = [
        migrations.AddField(
            model_name="consent",
            name="situations",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=16), default=list, size=None
            ),
        ),
    ]
