import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0002_roles_and_grants"),
        ("tracking", "0001_check_ins_and_assessments"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AcuteReport",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("client_id", models.UUIDField()),
                ("received_at", models.DateTimeField()),
                ("facts", models.JSONField()),
                ("error_code", models.CharField(max_length=40)),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="acute_reports",
                        to="accounts.patient",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Alert",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "condition",
                    models.CharField(
                        choices=[
                            ("safety", "Safety"),
                            ("withdrawal", "Withdrawal"),
                            ("use", "Use"),
                            ("mood", "Mood"),
                            ("craving", "Craving"),
                            ("confidence", "Confidence"),
                            ("sleep", "Sleep"),
                            ("worsening", "Worsening"),
                            ("absence", "Absence"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "severity",
                    models.CharField(
                        choices=[("medium", "Medium"), ("high", "High"), ("critical", "Critical")],
                        max_length=8,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("acknowledged", "Acknowledged"),
                            ("resolved", "Resolved"),
                        ],
                        default="open",
                        max_length=12,
                    ),
                ),
                ("is_historical", models.BooleanField(default=False)),
                ("reasons", models.JSONField(default=list)),
                ("opened_at", models.DateTimeField()),
                ("evidence_at", models.DateTimeField()),
                ("due_at", models.DateTimeField(null=True)),
                ("round", models.PositiveSmallIntegerField(default=1)),
                ("level", models.PositiveSmallIntegerField(default=0)),
                ("level_due_at", models.DateTimeField(null=True)),
                ("ladder", models.JSONField(default=list)),
                ("first_on", models.DateField()),
                ("last_on", models.DateField()),
                ("acknowledged_at", models.DateTimeField(null=True)),
                ("resolved_at", models.DateTimeField(null=True)),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("reached", "Reached"),
                            ("not_reached", "Not Reached"),
                            ("welfare_check", "Welfare Check"),
                            ("no_action_needed", "No Action Needed"),
                            ("historical", "Historical"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "acknowledged_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="alerts",
                        to="accounts.patient",
                    ),
                ),
                (
                    "resolved_by",
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
            name="AlertAct",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("acknowledged", "Acknowledged"),
                            ("acted", "Acted"),
                            ("resolved", "Resolved"),
                            ("escalated", "Escalated"),
                            ("renewed", "Renewed"),
                            ("revised", "Revised"),
                            ("exhausted", "Exhausted"),
                        ],
                        max_length=14,
                    ),
                ),
                ("note", models.TextField(blank=True)),
                ("facts", models.JSONField(default=dict)),
                (
                    "alert",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="acts",
                        to="aftercare.alert",
                    ),
                ),
                (
                    "by",
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
            name="AlertEvidence",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("round", models.PositiveSmallIntegerField()),
                (
                    "severity",
                    models.CharField(
                        choices=[("medium", "Medium"), ("high", "High"), ("critical", "Critical")],
                        max_length=8,
                    ),
                ),
                ("rules", models.JSONField()),
                (
                    "acute_report",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="alert_evidence",
                        to="aftercare.acutereport",
                    ),
                ),
                (
                    "alert",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="evidence",
                        to="aftercare.alert",
                    ),
                ),
                (
                    "check_in",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="alert_evidence",
                        to="tracking.checkin",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Nudge",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("local_date", models.DateField()),
                ("kind", models.CharField(max_length=16)),
                ("reasons", models.JSONField(default=list)),
                ("decided_at", models.DateTimeField()),
                ("was_sent", models.BooleanField()),
                ("why_not", models.CharField(blank=True, max_length=24)),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="nudges",
                        to="accounts.patient",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="acutereport",
            constraint=models.UniqueConstraint(
                fields=("patient", "client_id"), name="acute_report_once_per_client_id"
            ),
        ),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(
                condition=models.Q(("status", "resolved"), _negated=True),
                fields=["level_due_at"],
                name="alert_level_due",
            ),
        ),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(fields=["patient", "-opened_at"], name="alert_of_patient"),
        ),
        migrations.AddConstraint(
            model_name="alert",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "resolved"), _negated=True),
                fields=("patient", "condition"),
                name="alert_one_open_per_condition",
            ),
        ),
        migrations.AddConstraint(
            model_name="alert",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("acknowledged_at__isnull", True), ("acknowledged_by__isnull", True)),
                    models.Q(
                        ("acknowledged_at__isnull", False), ("acknowledged_by__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="alert_acknowledged_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="alert",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("resolved_at__isnull", False),
                        ("status", "resolved"),
                        models.Q(("outcome", ""), _negated=True),
                    ),
                    models.Q(
                        models.Q(("status", "resolved"), _negated=True),
                        ("outcome", ""),
                        ("resolved_at__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="alert_resolved_with_outcome",
            ),
        ),
        migrations.AddConstraint(
            model_name="alertevidence",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("check_in__isnull", False), ("acute_report__isnull", False), _connector="XOR"
                ),
                name="alert_evidence_one_source",
            ),
        ),
        migrations.AddConstraint(
            model_name="nudge",
            constraint=models.UniqueConstraint(
                fields=("patient", "local_date", "kind"), name="nudge_one_per_day_and_kind"
            ),
        ),
        migrations.AddConstraint(
            model_name="nudge",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("was_sent", True), ("why_not", "")),
                    models.Q(("was_sent", False), models.Q(("why_not", ""), _negated=True)),
                    _connector="OR",
                ),
                name="nudge_sent_or_why_not",
            ),
        ),
    ]
