"""What a patient agreed to and took back, and who opened a record in an emergency."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q


class RecipientKind(models.TextChoices):
    """Whom a consent names. A class of recipients is named by its words, and not by a person."""

    PERSON = "person"
    ORGANISATION = "organisation"
    SUPPORT_CONTACT = "support_contact"
    RECIPIENT_CLASS = "recipient_class"


class Purpose(models.TextChoices):
    """What information is shown for. A consent for one purpose opens nothing for another."""

    TREATMENT = "treatment"
    COORDINATION = "coordination"
    SUPPORT = "support"
    PAYMENT = "payment"
    EMPLOYMENT = "employment"
    HOUSING = "housing"
    LEGAL = "legal"
    OWN_REQUEST = "own_request"


class ExpiryEvent(models.TextChoices):
    """An event that ends a consent by itself; only those that the server can see."""

    DISCHARGE = "discharge"


class SignatureMethod(models.TextChoices):
    TYPED_IN_APP = "typed_in_app"
    TYPED_ON_WEB = "typed_on_web"


class Consent(models.Model):
    """Who may see what, why, until when: the elements of 42 CFR 2.31. Rows are never changed.

    The patient's app makes the id. `recipient_key` is how a recipient is found again, see
    `recipients.Recipient`. `scopes` holds `ConsentScope` values, `situations`
    those in which a support contact may be told, named one by one. `expires_on` is the last day,
    where the patient is. `text_*` say which words were signed, by their digest.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    patient = models.ForeignKey("accounts.Patient", models.PROTECT, related_name="consents")
    discloser = models.ForeignKey("accounts.Organisation", models.PROTECT, related_name="+")
    discloser_name = models.CharField(max_length=200)
    recipient_kind = models.CharField(max_length=16, choices=RecipientKind.choices)
    recipient_name = models.CharField(max_length=200)
    recipient_affiliation = models.CharField(max_length=200, blank=True)
    contact_id = models.UUIDField(null=True)
    recipient_key = models.CharField(max_length=100)
    scopes = ArrayField(models.CharField(max_length=24))
    situations = ArrayField(models.CharField(max_length=16), default=list)
    purpose = models.CharField(max_length=16, choices=Purpose.choices)
    expires_on = models.DateField(null=True)
    expires_event = models.CharField(max_length=16, choices=ExpiryEvent.choices, blank=True)
    text_version = models.PositiveSmallIntegerField()
    text_language = models.CharField(max_length=5)
    text_sha256 = models.CharField(max_length=64)
    signature_name = models.CharField(max_length=200)
    signature_method = models.CharField(max_length=16, choices=SignatureMethod.choices)
    signed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_on__isnull=False, expires_event="")
                | Q(expires_on__isnull=True) & ~Q(expires_event=""),
                name="consent_ends_on_a_day_or_an_event",
            ),
            models.CheckConstraint(
                condition=Q(recipient_kind="support_contact", contact_id__isnull=False)
                | ~Q(recipient_kind="support_contact") & Q(contact_id__isnull=True),
                name="consent_contact_whole",
            ),
            models.CheckConstraint(condition=~Q(scopes=[]), name="consent_of_something"),
        ]
        indexes = [
            models.Index(fields=["patient", "recipient_key"], name="consent_of_recipient"),
            models.Index(fields=["patient", "-signed_at"], name="consent_newest"),
        ]


class ConsentRevocation(models.Model):
    """Ends one consent at once, for good. Rows are never changed."""

    id = models.BigAutoField(primary_key=True)
    consent = models.OneToOneField(Consent, models.PROTECT, related_name="revocation")
    revoked_at = models.DateTimeField()


class EmergencyAccess(models.Model):
    """Break-glass: one clinician reads one patient of their organisation for a while, and no more.

    It ends by itself at `ends_at`; rows are never changed. The clinician's app makes the id.
    """

    LIFE = timedelta(minutes=60)

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    patient = models.ForeignKey(
        "accounts.Patient", models.PROTECT, related_name="emergency_accesses"
    )
    clinician = models.ForeignKey(
        "accounts.Clinician", models.PROTECT, related_name="emergency_accesses"
    )
    reason = models.TextField()
    opened_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("opened_at"))
                & Q(ends_at__lte=F("opened_at") + timedelta(minutes=60)),
                name="emergency_access_is_short",
            ),
        ]
        indexes = [
            models.Index(fields=["patient", "clinician", "ends_at"], name="emergency_access_live"),
            models.Index(fields=["-opened_at"], name="emergency_access_newest"),
        ]


class ReviewFinding(models.TextChoices):
    JUSTIFIED = "justified"
    NOT_JUSTIFIED = "not_justified"


class EmergencyAccessReview(models.Model):
    """What the organisation's privacy officer found about one emergency access, once."""

    id = models.BigAutoField(primary_key=True)
    emergency_access = models.OneToOneField(EmergencyAccess, models.PROTECT, related_name="review")
    reviewed_at = models.DateTimeField()
    reviewed_by = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    finding = models.CharField(max_length=16, choices=ReviewFinding.choices)
    note = models.TextField(blank=True)
