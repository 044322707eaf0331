"""The ways by which alone a message may leave."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0005_row_security"),
    ]

    operations = [
        migrations.AddField(
            model_name="notification",
            name="ways",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=8), null=True, size=None
            ),
        ),
    ]
