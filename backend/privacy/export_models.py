"""What a patient takes with them."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models import Q

from backend.accounts.models import Patient


class Export(models.Model):
    """All of one patient's, asked for by their app, which makes the id. The row is the work item.

    `content` is a ZIP, sealed under the patient's key, from `ready_at` until it was fetched or
    `expires_at`. The link is handed out once and opens it once; only its hash is stored.
    """

    LIFE = timedelta(days=1)
    LINK_LIFE = timedelta(minutes=15)

    id = models.UUIDField(primary_key=True, editable=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="exports")
    language = models.CharField(max_length=5)
    requested_at = models.DateTimeField()
    ready_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    content = models.BinaryField(default=b"")
    size = models.PositiveIntegerField(default=0)
    link_hash = models.BinaryField(max_length=32, null=True, unique=True)
    link_expires_at = models.DateTimeField(null=True)
    fetched_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ready_at__isnull=True, expires_at__isnull=True)
                | Q(ready_at__isnull=False, expires_at__isnull=False),
                name="export_ready_whole",
            ),
            models.CheckConstraint(
                condition=Q(link_hash__isnull=True, link_expires_at__isnull=True)
                | Q(link_hash__isnull=False, link_expires_at__isnull=False),
                name="export_link_whole",
            ),
        ]
        indexes = [
            models.Index(
                fields=["requested_at"], condition=Q(ready_at__isnull=True), name="export_pending"
            ),
            models.Index(
                fields=["expires_at"],
                condition=Q(ready_at__isnull=False, deleted_at__isnull=True),
                name="export_to_delete",
            ),
            models.Index(fields=["patient", "-requested_at"], name="export_newest"),
        ]
