import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_rate_counters_unlogged"),
        ("tracking", "0002_days_answered_from_the_index"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SweepRange",
            fields=[
                ("number", models.PositiveSmallIntegerField(primary_key=True, serialize=False)),
                ("due_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="AdoptedLimits",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("document", models.JSONField()),
                ("adopted_at", models.DateTimeField()),
                ("adopted_by", models.CharField(max_length=100)),
                ("reason", models.TextField()),
                ("review_on", models.DateField()),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="adopted_limits",
                        to="accounts.organisation",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["organisation", "-adopted_at"], name="adopted_limits_latest"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="BaselineStart",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("from_on", models.DateField()),
                ("reason", models.TextField()),
                ("set_at", models.DateTimeField()),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="baseline_starts",
                        to="accounts.patient",
                    ),
                ),
                (
                    "set_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["patient", "-set_at"], name="baseline_start_latest")
                ],
            },
        ),
    ]
