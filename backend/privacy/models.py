"""What makes the audit log tamper-evident, who read unusually many patients, and disclosures."""

from __future__ import annotations

from uuid import uuid4

from django.db import models

from backend.accounts.models import Organisation, User
from backend.privacy.disclosure_models import Basis, Disclosure
from backend.privacy.erasure_models import Erasure, LegalHold, RetentionSchedule
from backend.privacy.export_models import Export

__all__ = [
    "AuditSeal",
    "Basis",
    "Disclosure",
    "Erasure",
    "Export",
    "LegalHold",
    "MassRead",
    "RetentionSchedule",
]


class AuditSeal(models.Model):
    """Closes a stretch of the audit log: every row after the seal before, up to `last_id`.

    `digest` covers the rows, this seal's own fields and the digest before. `version` says how rows
    are written down for it.
    """

    number = models.BigIntegerField(primary_key=True)
    version = models.SmallIntegerField()
    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField()
    count = models.IntegerField()
    sealed_at = models.DateTimeField()
    digest = models.CharField(max_length=64)


class MassRead(models.Model):
    """One member of staff read more patients within an hour than is usual; once for that hour."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="mass_reads")
    reader = models.ForeignKey(User, models.PROTECT, related_name="mass_reads")
    reader_role = models.CharField(max_length=16)
    hour_at = models.DateTimeField()
    patients = models.IntegerField()
    allowed = models.IntegerField()
    first_read_at = models.DateTimeField()
    last_read_at = models.DateTimeField()
    found_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reader", "hour_at"], name="mass_read_once_an_hour")
        ]
        indexes = [models.Index(fields=["organisation", "-found_at"], name="mass_read_newest")]
