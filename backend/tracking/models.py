"""What the patient records and what the numbers said about it."""

from __future__ import annotations

from uuid import uuid4

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from backend.accounts.sealed_text import SealedText


class CheckInKind(models.TextChoices):
    DAILY = "daily"
    MOMENT = "moment"


class Source(models.TextChoices):
    APP = "app"
    IMPORT = "import"


class ExerciseKind(models.TextChoices):
    WALK = "walk"
    RUN = "run"
    CYCLE = "cycle"
    STRENGTH = "strength"
    YOGA = "yoga"
    SPORT = "sport"
    OTHER = "other"


class WithdrawalSymptom(models.TextChoices):
    SEIZURE = "seizure"
    CONFUSION = "confusion"
    HALLUCINATION = "hallucination"
    SHAKING = "shaking"
    SWEATING = "sweating"
    VOMITING = "vomiting"
    ANXIETY = "anxiety"
    PAIN = "pain"
    SLEEPLESSNESS = "sleeplessness"
    OTHER = "other"


def rating(lowest: int, highest: int) -> models.PositiveSmallIntegerField:  # type: ignore[type-arg]
    """An optional whole number from `lowest` to `highest`."""
    return models.PositiveSmallIntegerField(
        null=True, validators=[MinValueValidator(lowest), MaxValueValidator(highest)]
    )


def tags(length: int = 40) -> ArrayField:  # type: ignore[type-arg]
    return ArrayField(models.CharField(max_length=length), default=list)


class NextSync(models.Func):
    """The next number of the sequence that orders what a phone has yet to see.

    Writers for one patient hold that patient's lock until they commit, so the numbers of one
    patient become visible in their order and a cursor skips nothing.
    """

    template = "nextval('tracking_sync_seq')"
    output_field = models.BigIntegerField()


class CheckIn(models.Model):
    """One completed self-report. The id is the phone's own, unique for ever and over everyone.

    Null means that the item was skipped. `local_date` is the day it is about, in the person's
    zone; two daily ones of a date are both kept and the latest recorded counts for trends.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    # Without an index of its own, here as elsewhere: one that begins with it is there.
    patient = models.ForeignKey(
        "accounts.Patient", models.PROTECT, related_name="check_ins", db_index=False
    )
    kind = models.CharField(max_length=8, choices=CheckInKind.choices)
    source = models.CharField(max_length=8, choices=Source.choices, default=Source.APP)
    local_date = models.DateField()
    recorded_at = models.DateTimeField()
    utc_offset_minutes = models.SmallIntegerField()
    time_zone = models.CharField(max_length=64, blank=True)
    received_at = models.DateTimeField()
    is_late = models.BooleanField(default=False)
    content_digest = models.BinaryField(max_length=32)
    revision = models.PositiveSmallIntegerField(default=1)
    withdrawn_at = models.DateTimeField(null=True)
    sync_seq = models.BigIntegerField(db_default=NextSync())

    mood = rating(0, 10)
    craving = rating(0, 10)
    confidence = rating(0, 10)
    sleep_hours = models.DecimalField(max_digits=4, decimal_places=2, null=True)
    sleep_quality = rating(1, 5)
    exercise_minutes = rating(0, 1440)
    exercise_kind = models.CharField(max_length=16, choices=ExerciseKind.choices, blank=True)
    use_reported = models.BooleanField(null=True)
    use_substances = tags(24)
    use_on = models.DateField(null=True)
    withdrawal_reported = models.BooleanField(null=True)
    withdrawal_substances = tags(24)
    withdrawal_symptoms = tags(24)
    not_safe = models.BooleanField(default=False)
    cues = tags()
    helped = tags()
    note = SealedText()
    note_shared = models.BooleanField(default=False)

    class Meta:
        indexes = [
            # Holds what a window of days is made of, so that a caseload and a sweep read the index
            # alone: a person's days lie all over the table, in the order in which they arrived.
            models.Index(
                fields=["patient", "-local_date", "-recorded_at", "-received_at"],
                include=[
                    "kind",
                    "withdrawn_at",
                    "mood",
                    "craving",
                    "sleep_hours",
                    "exercise_minutes",
                    "confidence",
                ],
                name="check_in_patient_day",
            ),
            models.Index(fields=["patient", "sync_seq"], name="check_in_sync"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(mood__lte=10) & Q(craving__lte=10) & Q(confidence__lte=10)
                | Q(mood__isnull=True)
                | Q(craving__isnull=True)
                | Q(confidence__isnull=True),
                name="check_in_ratings_in_range",
            ),
            models.CheckConstraint(
                condition=Q(sleep_hours__isnull=True)
                | Q(sleep_hours__gte=0) & Q(sleep_hours__lte=24),
                name="check_in_sleep_in_range",
            ),
        ]


class CheckInRevision(models.Model):
    """What a check-in said before it was amended or withdrawn. Append-only.

    In `content`, a note is sealed under the patient's key, in base64.
    """

    id = models.BigAutoField(primary_key=True)
    check_in = models.ForeignKey(CheckIn, models.PROTECT, related_name="revisions")
    revision = models.PositiveSmallIntegerField()
    content = models.JSONField()
    replaced_at = models.DateTimeField()
    replaced_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["check_in", "revision"], name="check_in_revision_once")
        ]


class ErasedCheckIn(models.Model):
    """The id of a check-in that was erased, and nothing else: no phone brings it back."""

    id = models.UUIDField(primary_key=True, editable=False)
    erased_at = models.DateTimeField()


class SyncEpoch(models.Model):
    """One row. A restore gives it a new value, and every phone then starts from the beginning."""

    epoch = models.UUIDField(default=uuid4)


class AssessmentRequest(models.Model):
    """The row that says "assess me". The row is the work item; a worker leases it.

    `generation` grows with each check-in, so that one that arrives during an evaluation is not
    lost when the evaluation clears the request.
    """

    patient = models.OneToOneField(
        "accounts.Patient", models.CASCADE, primary_key=True, related_name="assessment_request"
    )
    requested_at = models.DateTimeField()
    generation = models.PositiveIntegerField(default=1)
    assess_from = models.DateField()
    lease_token = models.UUIDField(null=True)
    lease_expires_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["requested_at"], name="assessment_request_due")]


class PackedWindow(models.Model):
    """The last 90 days of one patient as the rows give them, and the rules they were judged by.

    Made by `packing.py`. It counts while the patient has no assessment request.
    """

    patient = models.OneToOneField(
        "accounts.Patient", models.CASCADE, primary_key=True, related_name="packed_window"
    )
    last_on = models.DateField()
    days = models.BinaryField()
    ruleset = models.CharField(max_length=40)


class BaselineStart(models.Model):
    """From which day on a patient's days count towards their usual, after a new normal.

    Append-only: the one set last holds. The clinician's app makes the id.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    patient = models.ForeignKey("accounts.Patient", models.PROTECT, related_name="baseline_starts")
    from_on = models.DateField()
    reason = models.TextField()
    set_at = models.DateTimeField()
    set_by = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["patient", "-set_at"], name="baseline_start_latest")]


class SweepRange(models.Model):
    """A share of all patients, by the beginning of their ids: the work item of a sweep.

    A worker that takes one up puts `due_at` off for as long as it may take, then for hours.
    """

    number = models.PositiveSmallIntegerField(primary_key=True)
    due_at = models.DateTimeField()


class AdoptedLimits(models.Model):
    """Limits that an organisation took over in place of those that ship. The last ones hold.

    `document` has the structure of `trends/limits.json`, its provenance included. Append-only.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    organisation = models.ForeignKey(
        "accounts.Organisation", models.PROTECT, related_name="adopted_limits"
    )
    document = models.JSONField()
    adopted_at = models.DateTimeField()
    adopted_by = models.CharField(max_length=100)
    reason = models.TextField()
    review_on = models.DateField()

    class Meta:
        indexes = [
            models.Index(fields=["organisation", "-adopted_at"], name="adopted_limits_latest")
        ]


class TrendDirection(models.TextChoices):
    IMPROVING = "improving"
    STEADY = "steady"
    WORSENING = "worsening"
    UNKNOWN = "unknown"


class Assessment(models.Model):
    """A dated, versioned evaluation with what it saw. Immutable: a new day makes a new row.

    `facts` is what an explanation is rendered from: per signal the score, both limits, the
    baseline and the first day of the present run.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    patient = models.ForeignKey(
        "accounts.Patient", models.PROTECT, related_name="assessments", db_index=False
    )
    as_of_on = models.DateField()
    assessed_at = models.DateTimeField()
    ruleset = models.CharField(max_length=40)
    trend = models.CharField(max_length=10, choices=TrendDirection.choices)
    facts = models.JSONField()
    input_digest = models.BinaryField(max_length=32)

    class Meta:
        indexes = [
            models.Index(
                F("patient"), F("as_of_on").desc(), F("assessed_at").desc(),
                name="assessment_latest",
            )
        ]  # fmt: skip
