"""What a patient has asked to be erased, and what keeps it from being."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from django.db import models
from django.db.models import F, Q

from backend.accounts.models import Organisation, Patient, User

DEFAULT_GRACE_DAYS, DEFAULT_RECORD_YEARS = 7, 7


class RetentionSchedule(models.Model):
    """An organisation's own times, in place of the defaults. `manage.py set_retention` sets them.

    `grace_days` pass between a patient's wish and its erasure; `record_years` is how long the
    clinic keeps its own record after that.
    """

    organisation = models.OneToOneField(
        Organisation, models.CASCADE, primary_key=True, related_name="retention_schedule"
    )
    grace_days = models.PositiveSmallIntegerField(default=DEFAULT_GRACE_DAYS)
    record_years = models.PositiveSmallIntegerField(default=DEFAULT_RECORD_YEARS)
    set_at = models.DateTimeField()
    reason = models.TextField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(grace_days__lte=90) & Q(record_years__lte=100),
                name="retention_in_range",
            )
        ]


class LegalHold(models.Model):
    """While it stands, nothing of this patient's is erased. Set by an administrator, with a reason.

    It is about the clinic's duty, not about what the patient recorded.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="legal_holds")
    reason = models.TextField()
    set_at = models.DateTimeField()
    set_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient"],
                condition=Q(lifted_at__isnull=True),
                name="legal_hold_one_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True, lifted_by__isnull=True)
                | Q(lifted_at__isnull=False, lifted_by__isnull=False),
                name="legal_hold_lifted_whole",
            ),
        ]


class Erasure(models.Model):
    """A patient's wish to have what is theirs erased, and the work item of whoever does it.

    `erased` counts rows by table and `left` what was found there afterwards: nothing.
    `record_until` is how long the clinic keeps its own record.
    """

    LOOK_AGAIN = timedelta(minutes=1)

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="erasures")
    requested_at = models.DateTimeField()
    due_at = models.DateTimeField()
    cancelled_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    erased = models.JSONField(default=dict)
    left = models.JSONField(default=dict)
    record_until = models.DateField(null=True)
    record_ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient"],
                condition=Q(cancelled_at__isnull=True, done_at__isnull=True),
                name="erasure_one_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(done_at__isnull=True, record_until__isnull=True)
                | Q(done_at__isnull=False, record_until__isnull=False, cancelled_at__isnull=True),
                name="erasure_done_whole",
            ),
            models.CheckConstraint(
                condition=Q(due_at__gte=F("requested_at")), name="erasure_due_after_request"
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(cancelled_at__isnull=True, done_at__isnull=True),
                name="erasure_due",
            ),
            models.Index(
                fields=["record_until"],
                condition=Q(record_ended_at__isnull=True, done_at__isnull=False),
                name="erasure_record_ends",
            ),
        ]
