"""Seals over the audit log, who read unusually many patients, and a log that only grows.

The grants keep web and worker from changing a row; the triggers keep everyone from it who has not
said in this very transaction that they mean to, the owner of the tables included.
"""

from __future__ import annotations

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

GUARDED = ("accounts_auditevent", "privacy_auditseal")

GUARD = """
CREATE FUNCTION privacy_refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
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
            f"CREATE TRIGGER privacy_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION privacy_refuse_audit_change()"
            for table in GUARDED
        ),
    ]


def no_guard() -> list[str]:
    return [
        *(f"DROP TRIGGER privacy_append_only ON {table}" for table in GUARDED),
        "DROP FUNCTION privacy_refuse_audit_change()",
    ]


GRANTS = [
    "REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON privacy_auditseal FROM handrail_web",
    "REVOKE UPDATE, DELETE, TRUNCATE ON privacy_auditseal FROM handrail_worker",
    "REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON privacy_massread FROM handrail_web",
    "REVOKE DELETE, TRUNCATE ON privacy_massread FROM handrail_worker",
]
# Finds the last hour without costing an insert more than a page's summary now and then.
RECENT = (
    "CREATE INDEX audit_recent ON accounts_auditevent USING brin (at)"
    " WITH (pages_per_range = 16, autosummarize = on)"
)


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0004_rate_counters_unlogged"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditSeal",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("version", models.SmallIntegerField()),
                ("first_id", models.BigIntegerField()),
                ("last_id", models.BigIntegerField()),
                ("count", models.IntegerField()),
                ("sealed_at", models.DateTimeField()),
                ("digest", models.CharField(max_length=64)),
            ],
        ),
        migrations.CreateModel(
            name="MassRead",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("reader_role", models.CharField(max_length=16)),
                ("hour_at", models.DateTimeField()),
                ("patients", models.IntegerField()),
                ("allowed", models.IntegerField()),
                ("first_read_at", models.DateTimeField()),
                ("last_read_at", models.DateTimeField()),
                ("found_at", models.DateTimeField()),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mass_reads",
                        to="accounts.organisation",
                    ),
                ),
                (
                    "reader",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mass_reads",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organisation", "-found_at"], name="mass_read_newest")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=["reader", "hour_at"], name="mass_read_once_an_hour"
                    )
                ],
            },
        ),
        migrations.RunSQL(sql=guard(), reverse_sql=no_guard()),
        migrations.RunSQL(sql=GRANTS, reverse_sql=migrations.RunSQL.noop),
        migrations.RunSQL(sql=RECENT, reverse_sql="DROP INDEX audit_recent"),
    ]
