"""Organisations, patients, clinicians and the care team that ties them."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import uuid4

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from backend.sealing import Wrapped


class ClinicianRole(models.TextChoices):
    THERAPIST = "therapist"
    CASE_MANAGER = "case_manager"
    ON_CALL = "on_call"
    CLINICAL_SUPERVISOR = "clinical_supervisor"


def office_hours() -> dict[str, list[list[str]]]:
    """Monday to Friday, 09:00 to 17:00. Each day maps to spans of local time."""
    return {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}


class Organisation(models.Model):
    """The treatment programme's operator: the tenant. `country` is ISO 3166-1 alpha-2."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    name = models.CharField(max_length=200)
    country = models.CharField(max_length=2)
    time_zone = models.CharField(max_length=64, default="UTC")
    language = models.CharField(max_length=5, default="en")
    monitoring_hours = models.JSONField(default=office_hours)
    created_at = models.DateTimeField(auto_now_add=True)


class Patient(models.Model):
    """The person in recovery. Exists before the account does: the clinic adds, the person enrols.

    `external_ref` is the key of an imported source, unique in the organisation. Who has set
    `left_monitoring_at` is a patient as before, and nobody watches what they record.
    `quiet_hours` are start and end as they have chosen them, None for those of everybody.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="patients")
    user = models.OneToOneField("accounts.User", models.PROTECT, null=True, related_name="patient")
    given_name = models.CharField(max_length=100)
    family_name = models.CharField(max_length=100, blank=True)
    born_on = models.DateField(null=True)
    country = models.CharField(max_length=2)
    time_zone = models.CharField(max_length=64, default="UTC")
    quiet_hours = ArrayField(models.TimeField(), size=2, null=True)
    external_ref = models.CharField(max_length=120, blank=True)
    enrolled_at = models.DateTimeField(null=True)
    discharged_at = models.DateTimeField(null=True)
    left_monitoring_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    key_on_arrival: Wrapped | None = None
    """Their key as it was read with the token, for sealing what comes with the same request."""
    had_care_team_on_arrival: bool | None = None
    """Read together with the token of a phone's request; None when nobody has looked."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "external_ref"],
                condition=~Q(external_ref=""),
                name="patient_external_ref_unique",
            )
        ]

    @property
    def is_active(self) -> bool:
        return self.discharged_at is None

    @property
    def is_monitored(self) -> bool:
        return self.is_active and self.left_monitoring_at is None

    def age_on(self, day: date) -> int | None:
        """Whole years lived by `day`; None when the date of birth is unknown."""
        if self.born_on is None:
            return None
        had_birthday = (day.month, day.day) >= (self.born_on.month, self.born_on.day)
        return day.year - self.born_on.year - (0 if had_birthday else 1)


class Clinician(models.Model):
    """A professional on the care team. `roles` holds `ClinicianRole` values."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="clinicians")
    user = models.OneToOneField("accounts.User", models.PROTECT, related_name="clinician")
    display_name = models.CharField(max_length=120)
    roles = ArrayField(models.CharField(max_length=24, choices=ClinicianRole.choices))
    created_at = models.DateTimeField(auto_now_add=True)


class Administrator(models.Model):
    """Runs an organisation's accounts; sees who is enrolled and nothing of what they record.

    A privacy officer is told of emergency access and reviews it.
    """

    user = models.OneToOneField(
        "accounts.User", models.PROTECT, primary_key=True, related_name="administrator"
    )
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="administrators")
    is_privacy_officer = models.BooleanField(default=False)


class CareTeamMember(models.Model):
    """A clinician's tie to a patient, with dates; `ended_on` is the first day without it."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="care_team")
    clinician = models.ForeignKey(Clinician, models.PROTECT, related_name="care_teams")
    role = models.CharField(max_length=24, choices=ClinicianRole.choices)
    started_on = models.DateField()
    ended_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "clinician"],
                condition=Q(ended_on__isnull=True),
                name="care_team_one_live_tie",
            ),
            models.CheckConstraint(
                condition=Q(ended_on__isnull=True) | Q(ended_on__gte=F("started_on")),
                name="care_team_ends_after_start",
            ),
        ]


class EnrolmentCode(models.Model):
    """A one-time code that lets one patient make their account. Only its keyed hash is stored."""

    LIFE = timedelta(days=14)

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    patient = models.ForeignKey(Patient, models.CASCADE, related_name="enrolment_codes")
    code_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
