"""What is the patient's own: coping steps and the people they chose."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from backend.accounts.sealed_text import SealedText
from backend.tracking.models import NextSync


class OwnItem(models.Model):
    """Something the patient alone enters. The id is the phone's own, unique for ever.

    What was removed leaves nothing but its id, so that an old phone cannot bring it back.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    revision = models.PositiveIntegerField(default=1)
    order = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)
    sync_seq = models.BigIntegerField(db_default=NextSync())

    class Meta:
        abstract = True


class CopingStep(OwnItem):
    """Something that helps this person, in their own words. Empty `cues` mean any cue."""

    patient = models.ForeignKey("accounts.Patient", models.PROTECT, related_name="coping_steps")
    words = SealedText()
    cues = ArrayField(models.CharField(max_length=40), default=list)
    is_archived = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(
                fields=["patient", "order"],
                condition=Q(removed_at__isnull=True),
                name="coping_step_of_patient",
            ),
            models.Index(fields=["patient", "sync_seq"], name="coping_step_sync"),
        ]


class Relation(models.TextChoices):
    SPONSOR = "sponsor"
    FAMILY = "family"
    PARTNER = "partner"
    FRIEND = "friend"
    PEER = "peer"
    OTHER = "other"


class Situation(models.TextChoices):
    """When a support contact may be reached."""

    ASKED = "asked"
    STRONG_CRAVING = "strong_craving"
    USE_REPORTED = "use_reported"
    NOT_SAFE = "not_safe"
    SILENCE = "silence"


class SupportContact(OwnItem):
    """A person the patient chose. Nobody is told anything by this row alone.

    Two more things are needed: `opted_in_at`, the contact's own yes, and a live consent of the
    patient that names the situation. A contact is no rung of a ladder and acknowledges nothing.
    """

    patient = models.ForeignKey("accounts.Patient", models.PROTECT, related_name="support_contacts")
    name = SealedText()
    relation = models.CharField(max_length=8, choices=Relation.choices, blank=True)
    phone = SealedText()
    email = SealedText()
    languages = ArrayField(models.CharField(max_length=8), default=list)
    situations = ArrayField(
        models.CharField(max_length=16, choices=Situation.choices), default=list
    )
    words = SealedText()
    opted_in_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["patient", "order"],
                condition=Q(removed_at__isnull=True),
                name="support_contact_of_patient",
            ),
            models.Index(fields=["patient", "sync_seq"], name="support_contact_sync"),
        ]
