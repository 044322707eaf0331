"""Asking a support contact whether they agree, and what is then sent to them."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from django.db import models
from django.db.models import Q

from backend.accounts.sealed_text import SealedText
from backend.aftercare.coping_models import Situation


class ContactAnswer(models.TextChoices):
    """What a contact has said by their link. `withdrawn` is a yes that they took back."""

    YES = "yes"
    NO = "no"
    WITHDRAWN = "withdrawn"


class ContactInvitation(models.Model):
    """One question to one support contact, and the link by which they answer and stop again.

    `shown_as` is how the patient lets themselves be called on the page, and may be empty. `link` is
    the random part of its address, found again by its hash. It ends for good at `ended_at`: the
    patient took it back, removed or changed the contact, asked anew, or the contact withdrew.
    """

    LIFE = timedelta(days=14)

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    patient = models.ForeignKey("accounts.Patient", models.PROTECT, related_name="+")
    contact = models.ForeignKey(
        "aftercare.SupportContact", models.PROTECT, related_name="invitations"
    )
    channel = models.CharField(max_length=8)
    shown_as = SealedText()
    link = SealedText()
    link_hash = models.BinaryField(max_length=32, unique=True)
    invited_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    answer = models.CharField(max_length=9, choices=ContactAnswer.choices, blank=True)
    answered_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["contact"],
                condition=Q(ended_at__isnull=True),
                name="invitation_one_of_contact",
            ),
            models.CheckConstraint(
                condition=Q(answer="", answered_at__isnull=True)
                | ~Q(answer="") & Q(answered_at__isnull=False),
                name="invitation_answered_whole",
            ),
        ]


class ContactOutcome(models.TextChoices):
    ACCEPTED = "accepted"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    DEAD = "dead"


class ContactMessage(models.Model):
    """The outbox of support contacts: one neutral text with a link, for one reason, once.

    Apart from `Notification`, whose recipients are accounts. An empty `situation` is the question
    itself. Nothing of what it is about leaves with it: that is read on the page behind the link.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    key = models.CharField(max_length=120, unique=True)
    patient = models.ForeignKey("accounts.Patient", models.PROTECT, related_name="+")
    invitation = models.ForeignKey(ContactInvitation, models.PROTECT, related_name="messages")
    situation = models.CharField(max_length=16, choices=Situation.choices, blank=True)
    queued_at = models.DateTimeField()
    due_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    lease_token = models.UUIDField(null=True)
    lease_expires_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=9, choices=ContactOutcome.choices, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(settled_at__isnull=True, outcome="")
                | Q(settled_at__isnull=False) & ~Q(outcome=""),
                name="contact_message_settled_whole",
            )
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(settled_at__isnull=True),
                name="contact_message_pending",
            )
        ]
