"""An organisation's ladder by version, and its rota of who is on call."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from django.db import models
from django.db.models import F, Q


class EscalationLadder(models.Model):
    """One version of one organisation's ladder. Rows are added and never changed.

    `rungs` are `ladder_rules.Rung`s. `decided_by` is the name of who answers for it, `changed_by`
    the account that stored it; by `review_on` somebody looks at it again.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    organisation = models.ForeignKey("accounts.Organisation", models.PROTECT, related_name="+")
    version = models.PositiveIntegerField()
    rungs = models.JSONField()
    reason = models.CharField(max_length=500)
    decided_by = models.CharField(max_length=120)
    review_on = models.DateField()
    changed_by = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "version"], name="ladder_version_once"),
            models.CheckConstraint(condition=Q(version__gt=0), name="ladder_version_counts"),
            models.CheckConstraint(condition=~Q(rungs=[]), name="ladder_has_rungs"),
        ]


class OnCallShift(models.Model):
    """One clinician is on call from `starts_at` until `ends_at`, which is no longer part of it.

    Shifts may overlap. One that was taken back stays, with when that was.
    """

    LONGEST = timedelta(days=7)

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    organisation = models.ForeignKey("accounts.Organisation", models.PROTECT, related_name="+")
    clinician = models.ForeignKey("accounts.Clinician", models.PROTECT, related_name="shifts")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    created_at = models.DateTimeField()
    cancelled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="shift_ends_after_it_starts"
            )
        ]
        indexes = [
            models.Index(
                fields=["organisation", "ends_at"],
                condition=Q(cancelled_at__isnull=True),
                name="shift_of_organisation",
            )
        ]
