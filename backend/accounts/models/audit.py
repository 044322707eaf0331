"""What was done by whom, and how often something was tried."""

from __future__ import annotations

from django.db import models


class AuditEvent(models.Model):
    """One act on somebody's data. Append-only by grant; no foreign keys, so it outlives all else.

    `facts` holds ids, names of fields and counts, never what a person recorded.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(auto_now_add=True)
    action = models.CharField(max_length=64)
    actor_id = models.UUIDField(null=True)
    actor_role = models.CharField(max_length=16)
    actor_name = models.CharField(max_length=64, blank=True)
    device_id = models.UUIDField(null=True)
    request_id = models.CharField(max_length=64, blank=True)
    patient_id = models.UUIDField(null=True)
    object_kind = models.CharField(max_length=32, blank=True)
    object_id = models.CharField(max_length=64, blank=True)
    was_allowed = models.BooleanField(default=True)
    facts = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["patient_id", "at"], name="audit_patient_at")]


class RateCounter(models.Model):
    """Tries of one key in one window. Lives here and not in Redis, so a flush forgives nobody."""

    key = models.CharField(max_length=80)
    window_at = models.DateTimeField()
    count = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key", "window_at"], name="rate_counter_unique")
        ]
