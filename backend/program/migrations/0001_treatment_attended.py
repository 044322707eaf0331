import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0010_arrival"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="EpisodeOfCare",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("started_on", models.DateField()),
                ("ended_on", models.DateField(null=True)),
                (
                    "treated_substances",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("alcohol", "Alcohol"),
                                ("opioids", "Opioids"),
                                ("benzodiazepines", "Benzodiazepines"),
                                ("stimulants", "Stimulants"),
                                ("cannabis", "Cannabis"),
                                ("nicotine", "Nicotine"),
                                ("other", "Other"),
                            ],
                            max_length=24,
                        ),
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="episodes_of_care",
                        to="accounts.patient",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Phase",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("intensive_outpatient", "Intensive Outpatient"),
                            ("step_down", "Step Down"),
                            ("aftercare", "Aftercare"),
                        ],
                        max_length=20,
                    ),
                ),
                ("started_on", models.DateField()),
                (
                    "episode",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="phases",
                        to="program.episodeofcare",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ProgramSession",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("individual", "Individual"),
                            ("group", "Group"),
                            ("family", "Family"),
                            ("education", "Education"),
                        ],
                        max_length=12,
                    ),
                ),
                ("starts_at", models.DateTimeField()),
                ("time_zone", models.CharField(max_length=64)),
                ("duration_minutes", models.PositiveSmallIntegerField()),
                ("cancelled_at", models.DateTimeField(null=True)),
                (
                    "episode",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sessions",
                        to="program.episodeofcare",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sessions",
                        to="accounts.patient",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Attendance",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("attended", "Attended"),
                            ("missed", "Missed"),
                            ("excused", "Excused"),
                        ],
                        max_length=8,
                    ),
                ),
                ("recorded_at", models.DateTimeField()),
                ("superseded_at", models.DateTimeField(null=True)),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attendance",
                        to="accounts.patient",
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attendance",
                        to="program.programsession",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "attendance",
            },
        ),
        migrations.CreateModel(
            name="SessionSeries",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("individual", "Individual"),
                            ("group", "Group"),
                            ("family", "Family"),
                            ("education", "Education"),
                        ],
                        max_length=12,
                    ),
                ),
                ("first_on", models.DateField()),
                ("at", models.TimeField()),
                ("time_zone", models.CharField(max_length=64)),
                ("duration_minutes", models.PositiveSmallIntegerField()),
                ("rule", models.CharField(max_length=120)),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="session_series",
                        to="accounts.patient",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="programsession",
            name="series",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="sessions",
                to="program.sessionseries",
            ),
        ),
        migrations.CreateModel(
            name="DrugTest",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("collected_on", models.DateField()),
                (
                    "result",
                    models.CharField(
                        choices=[
                            ("negative", "Negative"),
                            ("positive", "Positive"),
                            ("refused", "Refused"),
                            ("missed", "Missed"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "positive_for",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("alcohol", "Alcohol"),
                                ("opioids", "Opioids"),
                                ("benzodiazepines", "Benzodiazepines"),
                                ("stimulants", "Stimulants"),
                                ("cannabis", "Cannabis"),
                                ("nicotine", "Nicotine"),
                                ("other", "Other"),
                            ],
                            max_length=24,
                        ),
                        default=list,
                        size=None,
                    ),
                ),
                ("recorded_at", models.DateTimeField()),
                ("withdrawn_at", models.DateTimeField(null=True)),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="drug_tests",
                        to="accounts.patient",
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["patient", "-collected_on"], name="drug_test_of_patient")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("positive_for", []), ("result", "positive"), _connector="OR"
                        ),
                        name="drug_test_positive_for_where_positive",
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="episodeofcare",
            index=models.Index(fields=["patient", "-started_on"], name="episode_of_patient"),
        ),
        migrations.AddConstraint(
            model_name="episodeofcare",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_on__isnull", True)),
                fields=("patient",),
                name="episode_one_open_per_patient",
            ),
        ),
        migrations.AddConstraint(
            model_name="episodeofcare",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ended_on__isnull", True),
                    ("ended_on__gte", models.F("started_on")),
                    _connector="OR",
                ),
                name="episode_ends_after_its_start",
            ),
        ),
        migrations.AddConstraint(
            model_name="phase",
            constraint=models.UniqueConstraint(
                fields=("episode", "started_on"), name="phase_one_start_per_day"
            ),
        ),
        migrations.AddIndex(
            model_name="attendance",
            index=models.Index(
                condition=models.Q(("superseded_at__isnull", True)),
                fields=["patient"],
                name="attendance_standing",
            ),
        ),
        migrations.AddConstraint(
            model_name="attendance",
            constraint=models.UniqueConstraint(
                condition=models.Q(("superseded_at__isnull", True)),
                fields=("session",),
                name="attendance_one_stands_per_session",
            ),
        ),
        migrations.AddIndex(
            model_name="programsession",
            index=models.Index(fields=["patient", "starts_at"], name="session_of_patient"),
        ),
    ]
