"""Asking support contacts, what is sent to them, and row-level security on both."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

import backend.accounts.sealed_text
from backend.postgresql.row_policies import cover, uncover

TABLES = ("aftercare_contactinvitation", "aftercare_contactmessage")


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0013_consented_situations"),
        ("aftercare", "0013_ladders_and_rotas"),
    ]

    operations = [
        migrations.CreateModel(
            name="ContactInvitation",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("channel", models.CharField(max_length=8)),
                ("shown_as", backend.accounts.sealed_text.SealedText(blank=True, default="")),
                ("link", backend.accounts.sealed_text.SealedText(blank=True, default="")),
                ("link_hash", models.BinaryField(max_length=32, unique=True)),
                ("invited_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                (
                    "answer",
                    models.CharField(
                        blank=True,
                        choices=[("yes", "Yes"), ("no", "No"), ("withdrawn", "Withdrawn")],
                        max_length=9,
                    ),
                ),
                ("answered_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="ContactMessage",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("key", models.CharField(max_length=120, unique=True)),
                (
                    "situation",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("asked", "Asked"),
                            ("strong_craving", "Strong Craving"),
                            ("use_reported", "Use Reported"),
                            ("not_safe", "Not Safe"),
                            ("silence", "Silence"),
                        ],
                        max_length=16,
                    ),
                ),
                ("queued_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("lease_token", models.UUIDField(null=True)),
                ("lease_expires_at", models.DateTimeField(null=True)),
                ("settled_at", models.DateTimeField(null=True)),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("accepted", "Accepted"),
                            ("cancelled", "Cancelled"),
                            ("expired", "Expired"),
                            ("dead", "Dead"),
                        ],
                        max_length=9,
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(fields=["-evidence_at"], name="alert_newest_evidence"),
        ),
        migrations.AddField(
            model_name="contactinvitation",
            name="contact",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="invitations",
                to="aftercare.supportcontact",
            ),
        ),
        migrations.AddField(
            model_name="contactinvitation",
            name="patient",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.patient"
            ),
        ),
        migrations.AddField(
            model_name="contactmessage",
            name="invitation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="messages",
                to="aftercare.contactinvitation",
            ),
        ),
        migrations.AddField(
            model_name="contactmessage",
            name="patient",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.patient"
            ),
        ),
        migrations.AddConstraint(
            model_name="contactinvitation",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)),
                fields=("contact",),
                name="invitation_one_of_contact",
            ),
        ),
        migrations.AddConstraint(
            model_name="contactinvitation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("answer", ""), ("answered_at__isnull", True)),
                    models.Q(
                        models.Q(("answer", ""), _negated=True), ("answered_at__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="invitation_answered_whole",
            ),
        ),
        migrations.AddIndex(
            model_name="contactmessage",
            index=models.Index(
                condition=models.Q(("settled_at__isnull", True)),
                fields=["due_at"],
                name="contact_message_pending",
            ),
        ),
        migrations.AddConstraint(
            model_name="contactmessage",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("outcome", ""), ("settled_at__isnull", True)),
                    models.Q(
                        ("settled_at__isnull", False), models.Q(("outcome", ""), _negated=True)
                    ),
                    _connector="OR",
                ),
                name="contact_message_settled_whole",
            ),
        ),
        *(migrations.RunSQL(sql=cover(table), reverse_sql=uncover(table)) for table in TABLES),
    ]
