import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

from backend.accounts.sealed_text import SealedText


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_second_factors"),
        ("aftercare", "0003_left_monitoring"),
    ]

    operations = [
        migrations.CreateModel(
            name="Decision",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("at", models.DateTimeField()),
                ("local_date", models.DateField()),
                (
                    "kind",
                    models.CharField(
                        choices=[("nudge", "Nudge"), ("prompt", "Prompt"), ("flag", "Flag")],
                        max_length=8,
                    ),
                ),
                ("source", models.CharField(max_length=24)),
                ("known", models.JSONField(default=dict)),
                (
                    "options",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=48), default=list, size=None
                    ),
                ),
                ("chosen", models.CharField(blank=True, max_length=48)),
                ("reason", models.CharField(blank=True, max_length=24)),
                ("why_not", models.CharField(blank=True, max_length=24)),
            ],
        ),
        migrations.CreateModel(
            name="Prompt",
            fields=[
                ("dismissed_at", models.DateTimeField(null=True)),
                ("snoozed_until", models.DateTimeField(null=True)),
                ("helped", models.BooleanField(null=True)),
                ("rating", models.PositiveSmallIntegerField(null=True)),
                ("rated_at", models.DateTimeField(null=True)),
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("local_date", models.DateField()),
                (
                    "kind",
                    models.CharField(
                        choices=[("check_in", "Check In"), ("own_plan", "Own Plan")], max_length=12
                    ),
                ),
                ("due_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField()),
                ("was_sent", models.BooleanField()),
                ("why_not", models.CharField(blank=True, max_length=24)),
            ],
        ),
        migrations.CreateModel(
            name="PromptSchedule",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[("check_in", "Check In"), ("own_plan", "Own Plan")], max_length=12
                    ),
                ),
                ("is_on", models.BooleanField(default=True)),
                (
                    "every",
                    models.CharField(
                        choices=[
                            ("day", "Day"),
                            ("weekdays", "Weekdays"),
                            ("weeks", "Weeks"),
                            ("month", "Month"),
                        ],
                        default="day",
                        max_length=8,
                    ),
                ),
                ("at", models.TimeField()),
                (
                    "weekdays",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveSmallIntegerField(), default=list, size=None
                    ),
                ),
                ("interval_weeks", models.PositiveSmallIntegerField(default=1)),
                ("day_of_month", models.PositiveSmallIntegerField(null=True)),
                ("starts_on", models.DateField()),
                ("next_look_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="SupportContact",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("revision", models.PositiveIntegerField(default=1)),
                ("order", models.PositiveSmallIntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                ("changed_at", models.DateTimeField()),
                ("removed_at", models.DateTimeField(null=True)),
                ("name", SealedText(blank=True, default="")),
                (
                    "relation",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("sponsor", "Sponsor"),
                            ("family", "Family"),
                            ("partner", "Partner"),
                            ("friend", "Friend"),
                            ("peer", "Peer"),
                            ("other", "Other"),
                        ],
                        max_length=8,
                    ),
                ),
                ("phone", SealedText(blank=True, default="")),
                ("email", SealedText(blank=True, default="")),
                (
                    "languages",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=8), default=list, size=None
                    ),
                ),
                (
                    "situations",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("asked", "Asked"),
                                ("strong_craving", "Strong Craving"),
                                ("use_reported", "Use Reported"),
                                ("not_safe", "Not Safe"),
                                ("silence", "Silence"),
                            ],
                            max_length=16,
                        ),
                        default=list,
                        size=None,
                    ),
                ),
                ("words", SealedText(blank=True, default="")),
                ("opted_in_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddField(
            model_name="nudge",
            name="dismissed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="nudge",
            name="helped",
            field=models.BooleanField(null=True),
        ),
        migrations.AddField(
            model_name="nudge",
            name="rated_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="nudge",
            name="rating",
            field=models.PositiveSmallIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="nudge",
            name="snoozed_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.CreateModel(
            name="CopingStep",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("revision", models.PositiveIntegerField(default=1)),
                ("order", models.PositiveSmallIntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                ("changed_at", models.DateTimeField()),
                ("removed_at", models.DateTimeField(null=True)),
                ("words", SealedText(blank=True, default="")),
                (
                    "cues",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), default=list, size=None
                    ),
                ),
                ("is_archived", models.BooleanField(default=False)),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="coping_steps",
                        to="accounts.patient",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="nudge",
            name="step",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="nudges",
                to="aftercare.copingstep",
            ),
        ),
        migrations.AddIndex(
            model_name="nudge",
            index=models.Index(
                condition=models.Q(("snoozed_until__isnull", False)),
                fields=["snoozed_until"],
                name="nudge_snoozed",
            ),
        ),
        migrations.AddField(
            model_name="decision",
            name="patient",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="decisions",
                to="accounts.patient",
            ),
        ),
        migrations.AddField(
            model_name="prompt",
            name="patient",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="prompts",
                to="accounts.patient",
            ),
        ),
        migrations.AddField(
            model_name="promptschedule",
            name="patient",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="schedules",
                to="accounts.patient",
            ),
        ),
        migrations.AddField(
            model_name="supportcontact",
            name="patient",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="support_contacts",
                to="accounts.patient",
            ),
        ),
        migrations.AddIndex(
            model_name="copingstep",
            index=models.Index(
                condition=models.Q(("removed_at__isnull", True)),
                fields=["patient", "order"],
                name="coping_step_of_patient",
            ),
        ),
        migrations.AddIndex(
            model_name="decision",
            index=models.Index(fields=["patient", "-at", "-id"], name="decision_of_patient"),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.UniqueConstraint(
                fields=("patient", "local_date", "kind", "source", "chosen", "why_not"),
                name="decision_once_a_day",
            ),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("chosen", ""), models.Q(("why_not", ""), _negated=True), ("reason", "")
                    ),
                    models.Q(
                        models.Q(("chosen", ""), _negated=True),
                        ("why_not", ""),
                        models.Q(("reason", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="decision_chosen_or_why_not",
            ),
        ),
        migrations.AddIndex(
            model_name="prompt",
            index=models.Index(
                condition=models.Q(("snoozed_until__isnull", False)),
                fields=["snoozed_until"],
                name="prompt_snoozed",
            ),
        ),
        migrations.AddConstraint(
            model_name="prompt",
            constraint=models.UniqueConstraint(
                fields=("patient", "local_date", "kind"), name="prompt_one_per_day_and_kind"
            ),
        ),
        migrations.AddConstraint(
            model_name="prompt",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("was_sent", True), ("why_not", "")),
                    models.Q(("was_sent", False), models.Q(("why_not", ""), _negated=True)),
                    _connector="OR",
                ),
                name="prompt_sent_or_why_not",
            ),
        ),
        migrations.AddIndex(
            model_name="promptschedule",
            index=models.Index(
                condition=models.Q(("is_on", True)),
                fields=["next_look_at"],
                name="schedule_next_look",
            ),
        ),
        migrations.AddConstraint(
            model_name="promptschedule",
            constraint=models.UniqueConstraint(
                fields=("patient", "kind"), name="schedule_one_of_a_kind"
            ),
        ),
        migrations.AddIndex(
            model_name="supportcontact",
            index=models.Index(
                condition=models.Q(("removed_at__isnull", True)),
                fields=["patient", "order"],
                name="support_contact_of_patient",
            ),
        ),
    ]
