"""What we decided to send and what became of it."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q


class NotificationKind(models.TextChoices):
    SUPPORT = "support"
    NUDGE = "nudge"
    PROMPT = "prompt"
    ALERT = "alert"


class Priority(models.IntegerChoices):
    """Lower goes first; acute ones have a lane of their own."""

    ACUTE = 0
    NORMAL = 5


class NotificationOutcome(models.TextChoices):
    """Why a row is settled. Empty while it is pending."""

    ACCEPTED = "accepted"
    NO_DEVICE = "no_device"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    DEAD = "dead"


class Notification(models.Model):
    """The outbox row: one message to one recipient, and the work item of whoever sends it.

    `key` is natural, for example `alert:<id>:<round>:<level>:<recipient>`, so the same decision
    made twice is one row. `subject` names what it is about, so that acting on the subject
    cancels what is still queued. What the lock screen shows never depends on the row.

    `attempts` counts the claims that led to a try, `unreturned_claims` those in a row that no
    worker came back from: a row that kills its worker ends as dead, an unlucky one does not.

    An accepted message that no app has confirmed is sent once more at `repeat_due_at`; the row
    stays settled meanwhile. `received_at`, `opened_at` and `acted_on_at` are the first of each
    that an app of the recipient has reported, by the app's clock within reason.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    key = models.CharField(max_length=200)
    kind = models.CharField(max_length=8, choices=NotificationKind.choices)
    subject = models.CharField(max_length=80)
    recipient = models.ForeignKey(
        "accounts.User", models.PROTECT, related_name="notifications", db_index=False
    )
    patient = models.ForeignKey("accounts.Patient", models.PROTECT, related_name="notifications")
    priority = models.PositiveSmallIntegerField(choices=Priority.choices)
    obeys_quiet_hours = models.BooleanField()
    text_id = models.CharField(max_length=60)
    text_facts = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    unreturned_claims = models.PositiveSmallIntegerField(default=0)
    lease_token = models.UUIDField(null=True)
    lease_expires_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, choices=NotificationOutcome.choices, blank=True)
    repeat_due_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)
    acted_on_at = models.DateTimeField(null=True)
    ways = ArrayField(models.CharField(max_length=8), null=True)

    class Meta:
        constraints = [
            # Not `unique=True`, which makes a second index, for searching by a beginning.
            models.UniqueConstraint(fields=["key"], name="notification_key_once"),
            models.CheckConstraint(
                condition=Q(settled_at__isnull=True, outcome="")
                | Q(settled_at__isnull=False) & ~Q(outcome=""),
                name="notification_settled_with_outcome",
            ),
            models.CheckConstraint(
                condition=Q(lease_token__isnull=True, lease_expires_at__isnull=True)
                | Q(lease_token__isnull=False, lease_expires_at__isnull=False),
                name="notification_lease_whole",
            ),
            models.CheckConstraint(
                condition=Q(repeat_due_at__isnull=True) | Q(outcome=NotificationOutcome.ACCEPTED),
                name="notification_repeat_of_accepted",
            ),
        ]
        indexes = [
            models.Index(
                fields=["priority", "due_at"],
                condition=Q(settled_at__isnull=True),
                name="notification_pending",
            ),
            models.Index(
                fields=["subject"],
                condition=Q(settled_at__isnull=True),
                name="notification_pending_subject",
            ),
            models.Index(
                fields=["priority", "repeat_due_at"],
                condition=Q(repeat_due_at__isnull=False),
                name="notification_repeats",
            ),
            models.Index(
                fields=["subject"],
                condition=Q(repeat_due_at__isnull=False),
                name="notification_repeats_subject",
            ),
            models.Index(fields=["recipient", "-created_at"], name="notification_recipient"),
            models.Index(
                fields=["-settled_at"], condition=Q(outcome="dead"), name="notification_dead"
            ),
            # Rows lie in the order in which they are made, so a few pages hold the last hours.
            BrinIndex(fields=["created_at"], name="notification_made", autosummarize=True),
        ]


class AddressChannel(models.TextChoices):
    EMAIL = "email"
    SMS = "sms"


class ContactPoint(models.Model):
    """A clinician's own address, for messages that no phone of theirs has taken. Never a patient's.

    `address` is an e-mail address in lower case or a number in E.164. Nothing but its code is sent
    to it before it is verified. The code is made when it is sent and only its keyed hash stored.
    """

    CODE_LIFE = timedelta(minutes=30)

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    user = models.ForeignKey("accounts.User", models.CASCADE, related_name="contact_points")
    channel = models.CharField(max_length=8, choices=AddressChannel.choices)
    address = models.CharField(max_length=254)
    acute_only = models.BooleanField(default=False)
    added_at = models.DateTimeField()
    code_due_at = models.DateTimeField(null=True)
    code_hash = models.CharField(max_length=64, blank=True)
    code_expires_at = models.DateTimeField(null=True)
    verified_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)
    retired_reason = models.CharField(max_length=24, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "channel"],
                condition=Q(retired_at__isnull=True),
                name="contact_point_one_of_a_kind",
            ),
            models.CheckConstraint(
                condition=Q(retired_at__isnull=True, retired_reason="")
                | Q(retired_at__isnull=False) & ~Q(retired_reason=""),
                name="contact_point_retired_whole",
            ),
        ]
        indexes = [
            models.Index(
                fields=["code_due_at"],
                condition=Q(code_due_at__isnull=False),
                name="contact_point_code_due",
            )
        ]


class DeliveryAttempt(models.Model):
    """One try at one device or contact point: the ledger. Never holds the address itself.

    `retry_at` is set when the same may be tried again, and not before that.
    """

    id = models.BigAutoField(primary_key=True)
    notification = models.ForeignKey(
        Notification, models.CASCADE, related_name="delivery_attempts", db_index=False
    )
    device = models.ForeignKey("accounts.Device", models.PROTECT, null=True, related_name="+")
    contact_point = models.ForeignKey(ContactPoint, models.SET_NULL, null=True, related_name="+")
    attempt = models.PositiveIntegerField()
    channel = models.CharField(max_length=12)
    outcome = models.CharField(max_length=16)
    error = models.CharField(max_length=60, blank=True)
    provider_id = models.CharField(max_length=200, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    retry_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(device__isnull=True) | Q(contact_point__isnull=True),
                name="attempt_at_one_address",
            )
        ]
        indexes = [
            models.Index(fields=["notification", "device"], name="attempt_of_device"),
            BrinIndex(fields=["ended_at"], name="attempt_ended", autosummarize=True),
        ]


class ChannelState(models.Model):
    """One row a channel. Stopped while our own credentials are at fault: nobody is punished.

    `failing_since` is the first of the failures in a row, `failed_at` the latest of them; an
    accepted message ends the row. `announced_at` is when a process that sends last said that the
    channel is configured for it, and `public_key` what browsers subscribe with. `services` holds,
    by name, those of a channel's many services that refuse us: `failing_since` and, for when
    nothing is sent there, `stopped_until`, as ISO 8601.
    """

    channel = models.CharField(max_length=12, primary_key=True)
    stopped_until = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=60, blank=True)
    last_accepted_at = models.DateTimeField(null=True)
    announced_at = models.DateTimeField(null=True)
    public_key = models.CharField(max_length=120, blank=True, default="", db_default="")
    services = models.JSONField(default=dict, db_default={})


class DeliveryPause(models.Model):
    """Nothing is sent while one has not ended: a restored database may not know who moved on."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    reason = models.CharField(max_length=40)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["reason"], condition=Q(ended_at__isnull=True), name="delivery_pause_once"
            )
        ]


class Heartbeat(models.Model):
    """One row a process: when it last went round its loop."""

    process = models.CharField(max_length=40, primary_key=True)
    beat_at = models.DateTimeField()
