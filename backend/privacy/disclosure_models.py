"""What was shown to whom outside the care team, why, and under which consent or law."""

from __future__ import annotations

from uuid import uuid4

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from backend.accounts.models import Consent, Patient, Purpose, RecipientKind, User


class Basis(models.TextChoices):
    """Why something may be shown: the patient's consent, or 42 CFR 2.51."""

    CONSENT = "consent"
    MEDICAL_EMERGENCY = "medical_emergency"


class Disclosure(models.Model):
    """One disclosure: scopes and counts by kind, never content. Rows are never changed.

    The clinician's app makes the id. `nature` is of a medical emergency, in the clinician's words.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="disclosures")
    basis = models.CharField(max_length=20, choices=Basis.choices)
    consent = models.ForeignKey(Consent, models.PROTECT, null=True, related_name="disclosures")
    scopes = ArrayField(models.CharField(max_length=24))
    counts = models.JSONField()
    first_on = models.DateField()
    last_on = models.DateField()
    recipient_kind = models.CharField(max_length=16, choices=RecipientKind.choices)
    recipient_name = models.CharField(max_length=200)
    recipient_affiliation = models.CharField(max_length=200, blank=True)
    purpose = models.CharField(max_length=16, choices=Purpose.choices)
    nature = models.TextField(blank=True)
    disclosed_at = models.DateTimeField()
    disclosed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    discloser_name = models.CharField(max_length=200)
    notice = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(basis="consent", consent__isnull=False, nature="")
                | Q(basis="medical_emergency", consent__isnull=True) & ~Q(nature=""),
                name="disclosure_has_its_basis",
            ),
            models.CheckConstraint(condition=~Q(scopes=[]), name="disclosure_of_something"),
        ]
        indexes = [models.Index(fields=["patient", "-disclosed_at"], name="disclosure_newest")]
