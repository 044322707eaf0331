"""Phones and the tokens they sign requests with."""

from __future__ import annotations

from uuid import uuid4

from django.db import models
from django.db.models import Q


class DeviceKind(models.TextChoices):
    FCM = "fcm"
    WEB_PUSH = "web_push"


class TargetKind(models.TextChoices):
    TOKEN = "token"  # noqa: S105 - the name of a kind, not a secret
    FID = "fid"
    BROWSER = "browser"


class Platform(models.TextChoices):
    ANDROID = "android"
    IOS = "ios"
    WEB = "web"


class Device(models.Model):
    """One person's tie to one installed app. Handing the phone on ends it and makes a new row.

    `installation_id` is made by the app and stays with the installation; `push_target` is where
    a push goes. Each belongs to one live row at a time: the last to register it. A browser's target
    is the address of its push service, and `push_keys` is what its messages are sealed with: JSON.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    installation_id = models.UUIDField()
    user = models.ForeignKey("accounts.User", models.PROTECT, related_name="devices")
    kind = models.CharField(max_length=8, choices=DeviceKind.choices, default=DeviceKind.FCM)
    push_target = models.CharField(max_length=1024)
    push_keys = models.CharField(max_length=200, blank=True, default="", db_default="")
    target_kind = models.CharField(max_length=8, choices=TargetKind.choices)
    platform = models.CharField(max_length=8, choices=Platform.choices)
    is_private = models.BooleanField(default=True)
    registered_at = models.DateTimeField()
    unbound_at = models.DateTimeField(null=True)
    unbound_reason = models.CharField(max_length=24, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["installation_id"],
                condition=Q(unbound_at__isnull=True),
                name="device_installation_one_live",
            ),
            models.UniqueConstraint(
                fields=["kind", "push_target"],
                condition=Q(unbound_at__isnull=True),
                name="device_target_one_live",
            ),
        ]
        indexes = [
            models.Index(
                fields=["user"], condition=Q(unbound_at__isnull=True), name="device_live_of_user"
            )
        ]


class AccessToken(models.Model):
    """An opaque bearer token, stored as its SHA-256. Revoking takes effect on the next request."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    user = models.ForeignKey("accounts.User", models.PROTECT, related_name="access_tokens")
    device = models.ForeignKey(Device, models.SET_NULL, null=True, related_name="access_tokens")
    token_hash = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
