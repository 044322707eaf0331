import uuid

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import backend.tracking.models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0002_roles_and_grants"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # Orders what each phone has yet to see; a column below takes its default from it.
        migrations.RunSQL("CREATE SEQUENCE tracking_sync_seq", "DROP SEQUENCE tracking_sync_seq"),
        migrations.CreateModel(
            name="SyncEpoch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("epoch", models.UUIDField(default=uuid.uuid4)),
            ],
        ),
        migrations.CreateModel(
            name="AssessmentRequest",
            fields=[
                (
                    "patient",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="assessment_request",
                        serialize=False,
                        to="accounts.patient",
                    ),
                ),
                ("requested_at", models.DateTimeField()),
                ("generation", models.PositiveIntegerField(default=1)),
                ("assess_from", models.DateField()),
                ("lease_token", models.UUIDField(null=True)),
                ("lease_expires_at", models.DateTimeField(null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
            ],
            options={
                "indexes": [models.Index(fields=["requested_at"], name="assessment_request_due")],
            },
        ),
        migrations.CreateModel(
            name="CheckIn",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[("daily", "Daily"), ("moment", "Moment")], max_length=8
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[("app", "App"), ("import", "Import")], default="app", max_length=8
                    ),
                ),
                ("local_date", models.DateField()),
                ("recorded_at", models.DateTimeField()),
                ("utc_offset_minutes", models.SmallIntegerField()),
                ("time_zone", models.CharField(blank=True, max_length=64)),
                ("received_at", models.DateTimeField()),
                ("is_late", models.BooleanField(default=False)),
                ("content_digest", models.BinaryField(max_length=32)),
                ("revision", models.PositiveSmallIntegerField(default=1)),
                ("withdrawn_at", models.DateTimeField(null=True)),
                ("sync_seq", models.BigIntegerField(db_default=backend.tracking.models.NextSync())),
                (
                    "mood",
                    models.PositiveSmallIntegerField(
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(10),
                        ],
                    ),
                ),
                (
                    "craving",
                    models.PositiveSmallIntegerField(
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(10),
                        ],
                    ),
                ),
                (
                    "confidence",
                    models.PositiveSmallIntegerField(
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(10),
                        ],
                    ),
                ),
                ("sleep_hours", models.DecimalField(decimal_places=2, max_digits=4, null=True)),
                (
                    "sleep_quality",
                    models.PositiveSmallIntegerField(
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(5),
                        ],
                    ),
                ),
                (
                    "exercise_minutes",
                    models.PositiveSmallIntegerField(
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(1440),
                        ],
                    ),
                ),
                (
                    "exercise_kind",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("walk", "Walk"),
                            ("run", "Run"),
                            ("cycle", "Cycle"),
                            ("strength", "Strength"),
                            ("yoga", "Yoga"),
                            ("sport", "Sport"),
                            ("other", "Other"),
                        ],
                        max_length=16,
                    ),
                ),
                ("use_reported", models.BooleanField(null=True)),
                (
                    "use_substances",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=24), default=list, size=None
                    ),
                ),
                ("use_on", models.DateField(null=True)),
                ("withdrawal_reported", models.BooleanField(null=True)),
                (
                    "withdrawal_substances",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=24), default=list, size=None
                    ),
                ),
                (
                    "withdrawal_symptoms",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=24), default=list, size=None
                    ),
                ),
                ("not_safe", models.BooleanField(default=False)),
                (
                    "cues",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), default=list, size=None
                    ),
                ),
                (
                    "helped",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), default=list, size=None
                    ),
                ),
                ("note", models.TextField(blank=True)),
                ("note_shared", models.BooleanField(default=False)),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="check_ins",
                        to="accounts.patient",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="CheckInRevision",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("revision", models.PositiveSmallIntegerField()),
                ("content", models.JSONField()),
                ("replaced_at", models.DateTimeField()),
                (
                    "check_in",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="revisions",
                        to="tracking.checkin",
                    ),
                ),
                (
                    "replaced_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Assessment",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("as_of_on", models.DateField()),
                ("assessed_at", models.DateTimeField()),
                ("ruleset", models.CharField(max_length=40)),
                (
                    "trend",
                    models.CharField(
                        choices=[
                            ("improving", "Improving"),
                            ("steady", "Steady"),
                            ("worsening", "Worsening"),
                            ("unknown", "Unknown"),
                        ],
                        max_length=10,
                    ),
                ),
                ("facts", models.JSONField()),
                ("input_digest", models.BinaryField(max_length=32)),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="assessments",
                        to="accounts.patient",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("patient"),
                        models.OrderBy(models.F("as_of_on"), descending=True),
                        models.OrderBy(models.F("assessed_at"), descending=True),
                        name="assessment_latest",
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="checkin",
            index=models.Index(
                fields=["patient", "-local_date", "-recorded_at"], name="check_in_patient_day"
            ),
        ),
        migrations.AddIndex(
            model_name="checkin",
            index=models.Index(fields=["patient", "sync_seq"], name="check_in_sync"),
        ),
        migrations.AddConstraint(
            model_name="checkin",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("mood__lte", 10), ("craving__lte", 10), ("confidence__lte", 10)),
                    ("mood__isnull", True),
                    ("craving__isnull", True),
                    ("confidence__isnull", True),
                    _connector="OR",
                ),
                name="check_in_ratings_in_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="checkin",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("sleep_hours__isnull", True),
                    models.Q(("sleep_hours__gte", 0), ("sleep_hours__lte", 24)),
                    _connector="OR",
                ),
                name="check_in_sleep_in_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="checkinrevision",
            constraint=models.UniqueConstraint(
                fields=("check_in", "revision"), name="check_in_revision_once"
            ),
        ),
        migrations.RunSQL(
            "INSERT INTO tracking_syncepoch (epoch) VALUES (gen_random_uuid())",
            migrations.RunSQL.noop,
        ),
    ]
