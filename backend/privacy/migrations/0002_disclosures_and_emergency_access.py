"""What was shown to whom, and why: a table that only grows."""

from __future__ import annotations

import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

GUARD = [
    "CREATE TRIGGER accounts_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON privacy_disclosure"
    " FOR EACH STATEMENT EXECUTE FUNCTION accounts_refuse_change()",
    "REVOKE UPDATE, DELETE, TRUNCATE ON privacy_disclosure FROM handrail_web, handrail_worker",
]


class Migration(migrations.Migration):
    dependencies = [
        ("privacy", "0001_seals_and_mass_reads"),
        ("accounts", "0006_consents"),
    ]

    operations = [
        migrations.CreateModel(
            name="Disclosure",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "basis",
                    models.CharField(
                        choices=[
                            ("consent", "Consent"),
                            ("medical_emergency", "Medical Emergency"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=24), size=None
                    ),
                ),
                ("counts", models.JSONField()),
                ("first_on", models.DateField()),
                ("last_on", models.DateField()),
                (
                    "recipient_kind",
                    models.CharField(
                        choices=[
                            ("person", "Person"),
                            ("organisation", "Organisation"),
                            ("support_contact", "Support Contact"),
                            ("recipient_class", "Recipient Class"),
                        ],
                        max_length=16,
                    ),
                ),
                ("recipient_name", models.CharField(max_length=200)),
                ("recipient_affiliation", models.CharField(blank=True, max_length=200)),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("treatment", "Treatment"),
                            ("coordination", "Coordination"),
                            ("support", "Support"),
                            ("payment", "Payment"),
                            ("employment", "Employment"),
                            ("housing", "Housing"),
                            ("legal", "Legal"),
                            ("own_request", "Own Request"),
                        ],
                        max_length=16,
                    ),
                ),
                ("nature", models.TextField(blank=True)),
                ("disclosed_at", models.DateTimeField()),
                ("discloser_name", models.CharField(max_length=200)),
                ("notice", models.CharField(max_length=200)),
                (
                    "consent",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="disclosures",
                        to="accounts.consent",
                    ),
                ),
                (
                    "disclosed_by",
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
                        related_name="disclosures",
                        to="accounts.patient",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["patient", "-disclosed_at"], name="disclosure_newest")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("basis", "consent"), ("consent__isnull", False), ("nature", "")
                            ),
                            models.Q(
                                ("basis", "medical_emergency"),
                                ("consent__isnull", True),
                                models.Q(("nature", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="disclosure_has_its_basis",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("scopes", []), _negated=True),
                        name="disclosure_of_something",
                    ),
                ],
            },
        ),
        migrations.RunSQL(sql=GUARD, reverse_sql=migrations.RunSQL.noop),
    ]
