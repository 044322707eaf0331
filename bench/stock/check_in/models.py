"""The tables, with the same columns as ours."""

from __future__ import annotations

from uuid import uuid4

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

SUBSTANCES = [
    (name, name)
    for name in (
        "alcohol", "opioids", "benzodiazepines", "stimulants", "cannabis", "nicotine", "other",
    )
]  # fmt: skip
SYMPTOMS = [
    (name, name)
    for name in (
        "seizure", "confusion", "hallucination", "shaking", "sweating", "vomiting", "anxiety",
        "pain", "sleeplessness", "other",
    )
]  # fmt: skip
EXERCISES = [
    (name, name) for name in ("walk", "run", "cycle", "strength", "yoga", "sport", "other")
]


class Organisation(models.Model):
    name = models.CharField(max_length=200)
    time_zone = models.CharField(max_length=64)


class Clinician(models.Model):
    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT, related_name="clinician")
    organisation = models.ForeignKey(Organisation, models.PROTECT)
    display_name = models.CharField(max_length=120)


class Patient(models.Model):
    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT, related_name="patient")
    organisation = models.ForeignKey(Organisation, models.PROTECT)
    given_name = models.CharField(max_length=100)
    country = models.CharField(max_length=2)
    time_zone = models.CharField(max_length=64)
    enrolled_at = models.DateTimeField()
    discharged_at = models.DateTimeField(null=True)


class CareTeamMember(models.Model):
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="care_team")
    clinician = models.ForeignKey(Clinician, models.PROTECT)
    started_on = models.DateField()
    ended_on = models.DateField(null=True)


class Device(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="devices")
    push_target = models.CharField(max_length=1024)
    is_private = models.BooleanField(default=True)


def rating(lowest: int, highest: int) -> models.PositiveSmallIntegerField:  # type: ignore[type-arg]
    return models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(lowest), MaxValueValidator(highest)],
    )


def tags() -> ArrayField:  # type: ignore[type-arg]
    return ArrayField(models.CharField(max_length=40), default=list, blank=True, size=20)


class CheckIn(models.Model):
    id = models.UUIDField(primary_key=True)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="check_ins")
    kind = models.CharField(max_length=8, choices=[("daily", "daily"), ("moment", "moment")])
    local_date = models.DateField()
    recorded_at = models.DateTimeField()
    received_at = models.DateTimeField(auto_now_add=True)
    time_zone = models.CharField(max_length=64, blank=True)
    is_late = models.BooleanField(default=False)
    revision = models.PositiveSmallIntegerField(default=1)
    mood = rating(0, 10)
    craving = rating(0, 10)
    confidence = rating(0, 10)
    sleep_hours = models.DecimalField(max_digits=4, decimal_places=2, null=True, blank=True)
    sleep_quality = rating(1, 5)
    exercise_minutes = rating(0, 1440)
    exercise_kind = models.CharField(max_length=16, choices=EXERCISES, blank=True)
    use_reported = models.BooleanField(null=True)
    use_substances = ArrayField(
        models.CharField(max_length=24, choices=SUBSTANCES), default=list, blank=True
    )
    use_on = models.DateField(null=True, blank=True)
    withdrawal_reported = models.BooleanField(null=True)
    withdrawal_substances = ArrayField(
        models.CharField(max_length=24, choices=SUBSTANCES), default=list, blank=True
    )
    withdrawal_symptoms = ArrayField(
        models.CharField(max_length=24, choices=SYMPTOMS), default=list, blank=True
    )
    not_safe = models.BooleanField(default=False)
    cues = tags()
    helped = tags()
    note = models.TextField(blank=True, max_length=4000)
    note_shared = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["patient", "-local_date"], name="stock_patient_day")]


class AuditEvent(models.Model):
    at = models.DateTimeField(auto_now_add=True)
    action = models.CharField(max_length=64)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT)
    patient = models.ForeignKey(Patient, models.PROTECT)
    object_kind = models.CharField(max_length=32)
    object_id = models.CharField(max_length=64)
    facts = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["patient", "at"], name="stock_audit_patient_at")]


class AssessmentRequest(models.Model):
    patient = models.OneToOneField(Patient, models.CASCADE)
    requested_at = models.DateTimeField()
    generation = models.PositiveIntegerField(default=0)
    assess_from = models.DateField()


class Alert(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid4)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="alerts")
    condition = models.CharField(max_length=16)
    severity = models.CharField(max_length=8)
    status = models.CharField(max_length=12, default="open")
    reasons = models.JSONField(default=list)
    opened_at = models.DateTimeField()
    evidence_at = models.DateTimeField()
    due_at = models.DateTimeField()
    round = models.PositiveSmallIntegerField(default=1)

    class Meta:
        indexes = [models.Index(fields=["patient", "status"], name="stock_alert_patient")]


class AlertEvidence(models.Model):
    alert = models.ForeignKey(Alert, models.PROTECT, related_name="evidence")
    check_in = models.OneToOneField(CheckIn, models.PROTECT)
    rules = models.JSONField()


class Notification(models.Model):
    """A message to be sent by a worker."""

    id = models.UUIDField(primary_key=True, default=uuid4)
    key = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=8)
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT)
    patient = models.ForeignKey(Patient, models.PROTECT)
    text_id = models.CharField(max_length=60)
    text_facts = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    due_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["due_at"], name="stock_notification_due")]
