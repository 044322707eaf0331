"""Ladders by organisation and version, rotas of who is on call, and what an alert keeps of both."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0011_arrival_with_key"),
        ("aftercare", "0007_row_security"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="EscalationLadder",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("version", models.PositiveIntegerField()),
                ("rungs", models.JSONField()),
                ("reason", models.CharField(max_length=500)),
                ("decided_by", models.CharField(max_length=120)),
                ("review_on", models.DateField()),
                ("changed_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="OnCallShift",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("created_at", models.DateTimeField()),
                ("cancelled_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddField(
            model_name="alert",
            name="exhausted_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="alert",
            name="ladder_version",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="alert",
            name="rungs",
            field=models.JSONField(null=True),
        ),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(
                condition=models.Q(("exhausted_at__isnull", False), ("status", "open")),
                fields=["exhausted_at"],
                name="alert_exhausted",
            ),
        ),
        migrations.AddField(
            model_name="escalationladder",
            name="changed_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="escalationladder",
            name="organisation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.organisation",
            ),
        ),
        migrations.AddField(
            model_name="oncallshift",
            name="clinician",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="shifts",
                to="accounts.clinician",
            ),
        ),
        migrations.AddField(
            model_name="oncallshift",
            name="organisation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.organisation",
            ),
        ),
        migrations.AddConstraint(
            model_name="escalationladder",
            constraint=models.UniqueConstraint(
                fields=("organisation", "version"), name="ladder_version_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="escalationladder",
            constraint=models.CheckConstraint(
                condition=models.Q(("version__gt", 0)), name="ladder_version_counts"
            ),
        ),
        migrations.AddConstraint(
            model_name="escalationladder",
            constraint=models.CheckConstraint(
                condition=models.Q(("rungs", []), _negated=True), name="ladder_has_rungs"
            ),
        ),
        migrations.AddIndex(
            model_name="oncallshift",
            index=models.Index(
                condition=models.Q(("cancelled_at__isnull", True)),
                fields=["organisation", "ends_at"],
                name="shift_of_organisation",
            ),
        ),
        migrations.AddConstraint(
            model_name="oncallshift",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_at__gt", models.F("starts_at"))),
                name="shift_ends_after_it_starts",
            ),
        ),
        migrations.RunSQL(
            sql="REVOKE UPDATE, DELETE, TRUNCATE ON aftercare_escalationladder"
            " FROM handrail_web, handrail_worker",
            reverse_sql=migrations.RunSQL.noop,
        ),
    ]
