"""What a patient agreed to, who opened a record in an emergency, and leaving monitoring.

Rows of these tables are never changed: the grants keep web and worker from it, the triggers
everyone who has not said in this very transaction that they mean to.
"""

from __future__ import annotations

import datetime
import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

APPEND_ONLY = (
    "accounts_consent",
    "accounts_consentrevocation",
    "accounts_emergencyaccess",
    "accounts_emergencyaccessreview",
)
GUARD = """
CREATE FUNCTION accounts_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('handrail.audit_change', true) IS DISTINCT FROM 'allowed' THEN
        RAISE EXCEPTION 'rows of % are never changed or deleted', TG_TABLE_NAME
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END
$$
"""


def guard() -> list[str]:
    return [
        GUARD,
        *(
            f"CREATE TRIGGER accounts_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION accounts_refuse_change()"
            for table in APPEND_ONLY
        ),
        f"REVOKE UPDATE, DELETE, TRUNCATE ON {', '.join(APPEND_ONLY)}"
        " FROM handrail_web, handrail_worker",
    ]


def no_guard() -> list[str]:
    return [
        *(f"DROP TRIGGER accounts_append_only ON {table}" for table in APPEND_ONLY),
        "DROP FUNCTION accounts_refuse_change()",
    ]


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_second_factors"),
    ]

    operations = [
        migrations.AddField(
            model_name="administrator",
            name="is_privacy_officer",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="patient",
            name="left_monitoring_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.CreateModel(
            name="Consent",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("discloser_name", models.CharField(max_length=200)),
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
                ("contact_id", models.UUIDField(null=True)),
                ("recipient_key", models.CharField(max_length=100)),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=24), size=None
                    ),
                ),
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
                ("expires_on", models.DateField(null=True)),
                (
                    "expires_event",
                    models.CharField(
                        blank=True, choices=[("discharge", "Discharge")], max_length=16
                    ),
                ),
                ("text_version", models.PositiveSmallIntegerField()),
                ("text_language", models.CharField(max_length=5)),
                ("text_sha256", models.CharField(max_length=64)),
                ("signature_name", models.CharField(max_length=200)),
                (
                    "signature_method",
                    models.CharField(
                        choices=[
                            ("typed_in_app", "Typed In App"),
                            ("typed_on_web", "Typed On Web"),
                        ],
                        max_length=16,
                    ),
                ),
                ("signed_at", models.DateTimeField()),
                (
                    "discloser",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organisation",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="consents",
                        to="accounts.patient",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ConsentRevocation",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("revoked_at", models.DateTimeField()),
                (
                    "consent",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="revocation",
                        to="accounts.consent",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="EmergencyAccess",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("reason", models.TextField()),
                ("opened_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                (
                    "clinician",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="emergency_accesses",
                        to="accounts.clinician",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="emergency_accesses",
                        to="accounts.patient",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="EmergencyAccessReview",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("reviewed_at", models.DateTimeField()),
                (
                    "finding",
                    models.CharField(
                        choices=[("justified", "Justified"), ("not_justified", "Not Justified")],
                        max_length=16,
                    ),
                ),
                ("note", models.TextField(blank=True)),
                (
                    "emergency_access",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="review",
                        to="accounts.emergencyaccess",
                    ),
                ),
                (
                    "reviewed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="consent",
            index=models.Index(fields=["patient", "recipient_key"], name="consent_of_recipient"),
        ),
        migrations.AddIndex(
            model_name="consent",
            index=models.Index(fields=["patient", "-signed_at"], name="consent_newest"),
        ),
        migrations.AddConstraint(
            model_name="consent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("expires_event", ""), ("expires_on__isnull", False)),
                    models.Q(
                        ("expires_on__isnull", True), models.Q(("expires_event", ""), _negated=True)
                    ),
                    _connector="OR",
                ),
                name="consent_ends_on_a_day_or_an_event",
            ),
        ),
        migrations.AddConstraint(
            model_name="consent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("contact_id__isnull", False), ("recipient_kind", "support_contact")),
                    models.Q(
                        models.Q(("recipient_kind", "support_contact"), _negated=True),
                        ("contact_id__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="consent_contact_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="consent",
            constraint=models.CheckConstraint(
                condition=models.Q(("scopes", []), _negated=True), name="consent_of_something"
            ),
        ),
        migrations.AddIndex(
            model_name="emergencyaccess",
            index=models.Index(
                fields=["patient", "clinician", "ends_at"], name="emergency_access_live"
            ),
        ),
        migrations.AddIndex(
            model_name="emergencyaccess",
            index=models.Index(fields=["-opened_at"], name="emergency_access_newest"),
        ),
        migrations.AddConstraint(
            model_name="emergencyaccess",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ends_at__gt", models.F("opened_at")),
                    (
                        "ends_at__lte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("opened_at"),
                            "+",
                            models.Value(datetime.timedelta(seconds=3600)),
                        ),
                    ),
                ),
                name="emergency_access_is_short",
            ),
        ),
        migrations.RunSQL(sql=guard(), reverse_sql=no_guard()),
    ]
