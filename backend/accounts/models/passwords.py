"""A wish for a new password."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from django.db import models
from django.db.models import Q


class ResetPurpose(models.TextChoices):
    FORGOTTEN = "forgotten"
    FIRST = "first"


class PasswordReset(models.Model):
    """The wish, and the work item of whoever mails the code. One row an address: the newest.

    The address may belong to nobody: asking never says which. The code is made when the mail is,
    and only its keyed hash is stored; it works once, until `expires_at`.
    """

    LIVES = {
        ResetPurpose.FORGOTTEN.value: timedelta(minutes=30),
        ResetPurpose.FIRST.value: timedelta(days=3),
    }

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    email = models.EmailField(max_length=254, unique=True)
    purpose = models.CharField(max_length=10, choices=ResetPurpose.choices)
    requested_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    due_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    code_hash = models.CharField(max_length=64, blank=True)
    sent_at = models.DateTimeField(null=True)
    lease_token = models.UUIDField(null=True)
    lease_expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(lease_token__isnull=True, lease_expires_at__isnull=True)
                | Q(lease_token__isnull=False, lease_expires_at__isnull=False),
                name="password_reset_lease_whole",
            ),
            models.CheckConstraint(
                condition=Q(sent_at__isnull=True) | ~Q(code_hash=""),
                name="password_reset_sent_with_code",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"], condition=Q(sent_at__isnull=True), name="password_reset_pending"
            ),
            models.Index(fields=["expires_at"], name="password_reset_expiry"),
        ]
