"""Exports, erasures, legal holds, and the one way to take rows of history away.

Web and worker may delete no row of a history table. `privacy_erase_history` does, as the owner,
for the worker alone, and looks itself whether an erasure of that patient is due and not held.
"""

from __future__ import annotations

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

ERASE_HISTORY = """
CREATE FUNCTION privacy_erase_history(erasure uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    whose uuid;
    erased bigint;
BEGIN
    SELECT e.patient_id INTO whose FROM privacy_erasure e
     WHERE e.id = erasure AND e.cancelled_at IS NULL AND e.done_at IS NULL AND e.due_at <= now()
       AND NOT EXISTS (SELECT FROM privacy_legalhold h
                        WHERE h.patient_id = e.patient_id AND h.lifted_at IS NULL);
    IF whose IS NULL THEN
        RAISE EXCEPTION 'no erasure is due' USING ERRCODE = 'insufficient_privilege';
    END IF;
    DELETE FROM tracking_checkinrevision r USING tracking_checkin c
     WHERE c.id = r.check_in_id AND c.patient_id = whose;
    GET DIAGNOSTICS erased = ROW_COUNT;
    RETURN erased;
END
$$
"""
GRANTS = [
    "REVOKE ALL ON FUNCTION privacy_erase_history(uuid) FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION privacy_erase_history(uuid) TO handrail_worker",
    "REVOKE DELETE, TRUNCATE ON privacy_erasure, privacy_legalhold FROM handrail_web, handrail_worker",
    "REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON privacy_retentionschedule FROM handrail_web",
    "REVOKE DELETE, TRUNCATE ON privacy_export FROM handrail_web",
    # The clinic's record of its own acts: emptied by the worker, and by nobody who answers requests.
    "REVOKE DELETE, TRUNCATE ON aftercare_alert, aftercare_alertact, aftercare_alertevidence,"
    " aftercare_acutereport FROM handrail_web",
]


class Migration(migrations.Migration):
    dependencies = [
        ("tracking", "0006_erased_check_ins"),
        ("aftercare", "0006_sealed_act_notes"),
        ("accounts", "0008_patient_keys"),
        ("privacy", "0002_disclosures_and_emergency_access"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="RetentionSchedule",
            fields=[
                (
                    "organisation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="retention_schedule",
                        serialize=False,
                        to="accounts.organisation",
                    ),
                ),
                ("grace_days", models.PositiveSmallIntegerField(default=7)),
                ("record_years", models.PositiveSmallIntegerField(default=7)),
                ("set_at", models.DateTimeField()),
                ("reason", models.TextField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("grace_days__lte", 90), ("record_years__lte", 100)),
                        name="retention_in_range",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Erasure",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("requested_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                ("cancelled_at", models.DateTimeField(null=True)),
                ("done_at", models.DateTimeField(null=True)),
                ("erased", models.JSONField(default=dict)),
                ("left", models.JSONField(default=dict)),
                ("record_until", models.DateField(null=True)),
                ("record_ended_at", models.DateTimeField(null=True)),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="erasures",
                        to="accounts.patient",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(
                            ("cancelled_at__isnull", True), ("done_at__isnull", True)
                        ),
                        fields=["due_at"],
                        name="erasure_due",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("done_at__isnull", False), ("record_ended_at__isnull", True)
                        ),
                        fields=["record_until"],
                        name="erasure_record_ends",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("cancelled_at__isnull", True), ("done_at__isnull", True)
                        ),
                        fields=("patient",),
                        name="erasure_one_at_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("done_at__isnull", True), ("record_until__isnull", True)),
                            models.Q(
                                ("cancelled_at__isnull", True),
                                ("done_at__isnull", False),
                                ("record_until__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="erasure_done_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("due_at__gte", models.F("requested_at"))),
                        name="erasure_due_after_request",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Export",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("language", models.CharField(max_length=5)),
                ("requested_at", models.DateTimeField()),
                ("ready_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
                ("content", models.BinaryField(default=b"")),
                ("size", models.PositiveIntegerField(default=0)),
                ("link_hash", models.BinaryField(max_length=32, null=True, unique=True)),
                ("link_expires_at", models.DateTimeField(null=True)),
                ("fetched_at", models.DateTimeField(null=True)),
                ("deleted_at", models.DateTimeField(null=True)),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="exports",
                        to="accounts.patient",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("ready_at__isnull", True)),
                        fields=["requested_at"],
                        name="export_pending",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("deleted_at__isnull", True), ("ready_at__isnull", False)
                        ),
                        fields=["expires_at"],
                        name="export_to_delete",
                    ),
                    models.Index(fields=["patient", "-requested_at"], name="export_newest"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("expires_at__isnull", True), ("ready_at__isnull", True)),
                            models.Q(("expires_at__isnull", False), ("ready_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="export_ready_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("link_expires_at__isnull", True), ("link_hash__isnull", True)
                            ),
                            models.Q(
                                ("link_expires_at__isnull", False), ("link_hash__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="export_link_whole",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="LegalHold",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("reason", models.TextField()),
                ("set_at", models.DateTimeField()),
                ("lifted_at", models.DateTimeField(null=True)),
                (
                    "lifted_by",
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
                        related_name="legal_holds",
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
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("lifted_at__isnull", True)),
                        fields=("patient",),
                        name="legal_hold_one_at_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("lifted_at__isnull", True), ("lifted_by__isnull", True)),
                            models.Q(("lifted_at__isnull", False), ("lifted_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="legal_hold_lifted_whole",
                    ),
                ],
            },
        ),
        migrations.RunSQL(
            sql=ERASE_HISTORY, reverse_sql="DROP FUNCTION privacy_erase_history(uuid)"
        ),
        migrations.RunSQL(sql=GRANTS, reverse_sql=migrations.RunSQL.noop),
    ]
