"""The treatment a patient attends: episodes and their phases, sessions, attendance, drug tests.

All of it is entered by the care team. The ids are made by their apps, so that sending something
twice stores it once.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q


class Substance(models.TextChoices):
    ALCOHOL = "alcohol"
    OPIOIDS = "opioids"
    BENZODIAZEPINES = "benzodiazepines"
    STIMULANTS = "stimulants"
    CANNABIS = "cannabis"
    NICOTINE = "nicotine"
    OTHER = "other"


def substances() -> ArrayField:  # type: ignore[type-arg]
    return ArrayField(models.CharField(max_length=24, choices=Substance.choices), default=list)


class EpisodeOfCare(models.Model):
    """A period under the programme's care; open while `ended_on` is empty.

    Both days are in it. `treated_substances` is what the programme treats; empty says that
    nobody has said.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    patient = models.ForeignKey("accounts.Patient", models.PROTECT, related_name="episodes_of_care")
    started_on = models.DateField()
    ended_on = models.DateField(null=True)
    treated_substances = substances()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient"],
                condition=Q(ended_on__isnull=True),
                name="episode_one_open_per_patient",
            ),
            models.CheckConstraint(
                condition=Q(ended_on__isnull=True) | Q(ended_on__gte=F("started_on")),
                name="episode_ends_after_its_start",
            ),
        ]
        indexes = [models.Index(fields=["patient", "-started_on"], name="episode_of_patient")]


class PhaseKind(models.TextChoices):
    INTENSIVE_OUTPATIENT = "intensive_outpatient"
    STEP_DOWN = "step_down"
    AFTERCARE = "aftercare"


class Phase(models.Model):
    """A part of an episode. It ends where the next one begins, the last one with the episode."""

    id = models.UUIDField(primary_key=True, editable=False)
    episode = models.ForeignKey(EpisodeOfCare, models.PROTECT, related_name="phases")
    kind = models.CharField(max_length=20, choices=PhaseKind.choices)
    started_on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["episode", "started_on"], name="phase_one_start_per_day"
            )
        ]


class SessionKind(models.TextChoices):
    INDIVIDUAL = "individual"
    GROUP = "group"
    FAMILY = "family"
    EDUCATION = "education"


class SessionSeries(models.Model):
    """Sessions that come again by a rule (RFC 5545, RRULE) on the clock of `time_zone`.

    Its sessions are stored when it is; what happens to one of them later is its own.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    patient = models.ForeignKey("accounts.Patient", models.PROTECT, related_name="session_series")
    kind = models.CharField(max_length=12, choices=SessionKind.choices)
    first_on = models.DateField()
    at = models.TimeField()
    time_zone = models.CharField(max_length=64)
    duration_minutes = models.PositiveSmallIntegerField()
    rule = models.CharField(max_length=120)


class ProgramSession(models.Model):
    """One session that this patient is expected at. `time_zone` is the programme's."""

    id = models.UUIDField(primary_key=True, editable=False)
    patient = models.ForeignKey("accounts.Patient", models.PROTECT, related_name="sessions")
    episode = models.ForeignKey(EpisodeOfCare, models.PROTECT, related_name="sessions")
    series = models.ForeignKey(SessionSeries, models.PROTECT, null=True, related_name="sessions")
    kind = models.CharField(max_length=12, choices=SessionKind.choices)
    starts_at = models.DateTimeField()
    time_zone = models.CharField(max_length=64)
    duration_minutes = models.PositiveSmallIntegerField()
    cancelled_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["patient", "starts_at"], name="session_of_patient")]


class AttendanceStatus(models.TextChoices):
    ATTENDED = "attended"
    MISSED = "missed"
    EXCUSED = "excused"


class Attendance(models.Model):
    """Whether the patient came, as somebody recorded it. Append-only but for `superseded_at`.

    A correction is a new row; the one that stands has no `superseded_at`.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    session = models.ForeignKey(ProgramSession, models.PROTECT, related_name="attendance")
    patient = models.ForeignKey("accounts.Patient", models.PROTECT, related_name="attendance")
    status = models.CharField(max_length=8, choices=AttendanceStatus.choices)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    superseded_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "attendance"
        constraints = [
            models.UniqueConstraint(
                fields=["session"],
                condition=Q(superseded_at__isnull=True),
                name="attendance_one_stands_per_session",
            )
        ]
        indexes = [
            models.Index(
                fields=["patient"],
                condition=Q(superseded_at__isnull=True),
                name="attendance_standing",
            )
        ]


class DrugTestResult(models.TextChoices):
    NEGATIVE = "negative"
    POSITIVE = "positive"
    REFUSED = "refused"
    MISSED = "missed"


class DrugTest(models.Model):
    """One drug or alcohol test. `positive_for` may be empty for a positive one: nobody said.

    One that was entered by mistake is withdrawn and entered anew. No message ever names it.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    patient = models.ForeignKey("accounts.Patient", models.PROTECT, related_name="drug_tests")
    collected_on = models.DateField()
    result = models.CharField(max_length=8, choices=DrugTestResult.choices)
    positive_for = substances()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(positive_for=[]) | Q(result="positive"),
                name="drug_test_positive_for_where_positive",
            )
        ]
        indexes = [models.Index(fields=["patient", "-collected_on"], name="drug_test_of_patient")]
