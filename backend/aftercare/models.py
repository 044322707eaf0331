"""What care does about what a patient records."""

from __future__ import annotations

from uuid import uuid4

from django.db import models
from django.db.models import Q

from backend.accounts.sealed_text import SealedText
from backend.aftercare.contact_models import (
    ContactAnswer,
    ContactInvitation,
    ContactMessage,
    ContactOutcome,
)
from backend.aftercare.coping_models import CopingStep, Relation, Situation, SupportContact
from backend.aftercare.ladder_models import EscalationLadder, OnCallShift
from backend.aftercare.outreach_models import (
    Answerable,
    Decision,
    DecisionKind,
    Prompt,
    PromptKind,
    PromptSchedule,
    Repeats,
)

__all__ = [
    "AcuteReport",
    "Alert",
    "AlertAct",
    "AlertActKind",
    "AlertEvidence",
    "AlertOutcome",
    "AlertStatus",
    "Condition",
    "ContactAnswer",
    "ContactInvitation",
    "ContactMessage",
    "ContactOutcome",
    "CopingStep",
    "Decision",
    "DecisionKind",
    "EscalationLadder",
    "Nudge",
    "OnCallShift",
    "Prompt",
    "PromptKind",
    "PromptSchedule",
    "Relation",
    "Repeats",
    "Severity",
    "Situation",
    "SupportContact",
]


class Severity(models.TextChoices):
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Condition(models.TextChoices):
    """What an alert is about. One condition of one patient is at most one open alert."""

    SAFETY = "safety"
    WITHDRAWAL = "withdrawal"
    USE = "use"
    MOOD = "mood"
    CRAVING = "craving"
    CONFIDENCE = "confidence"
    SLEEP = "sleep"
    WORSENING = "worsening"
    ABSENCE = "absence"
    LEFT_MONITORING = "left_monitoring"


class AlertStatus(models.TextChoices):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class AlertOutcome(models.TextChoices):
    REACHED = "reached"
    NOT_REACHED = "not_reached"
    WELFARE_CHECK = "welfare_check"
    NO_ACTION_NEEDED = "no_action_needed"
    RECOVERED = "recovered"
    HISTORICAL = "historical"


class Alert(models.Model):
    """Something a care-team member must look at.

    `round` grows when new acute evidence arrives: the due time is renewed and the ladder starts
    again. `ladder` is a snapshot of account ids by level, taken when the alert opens, and `rungs`
    what stands for each level: who, for how long it may be silent, in which ways (see `ladder`).
    `exhausted_at` is when nobody on it had answered in this round. `look_again_on` is the day,
    where the patient is, on which it comes back to the work list until somebody does something
    about it; `look_again_told_at` is when a clinician was told that it has come.
    `reasons` holds rule ids with their facts; sentences are rendered for each reader.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    patient = models.ForeignKey(
        "accounts.Patient", models.PROTECT, related_name="alerts", db_index=False
    )
    condition = models.CharField(max_length=16, choices=Condition.choices)
    severity = models.CharField(max_length=8, choices=Severity.choices)
    status = models.CharField(max_length=12, choices=AlertStatus.choices, default=AlertStatus.OPEN)
    is_historical = models.BooleanField(default=False)
    reasons = models.JSONField(default=list)
    opened_at = models.DateTimeField()
    evidence_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    round = models.PositiveSmallIntegerField(default=1)
    level = models.PositiveSmallIntegerField(default=0)
    level_due_at = models.DateTimeField(null=True)
    ladder = models.JSONField(default=list)
    rungs = models.JSONField(null=True)
    ladder_version = models.PositiveIntegerField(null=True)
    exhausted_at = models.DateTimeField(null=True)
    first_on = models.DateField()
    last_on = models.DateField()
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(
        "accounts.User", models.PROTECT, null=True, related_name="+"
    )
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    outcome = models.CharField(max_length=20, choices=AlertOutcome.choices, blank=True)
    look_again_on = models.DateField(null=True)
    look_again_told_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "condition"],
                condition=~Q(status="resolved"),
                name="alert_one_open_per_condition",
            ),
            models.CheckConstraint(
                condition=Q(acknowledged_at__isnull=True, acknowledged_by__isnull=True)
                | Q(acknowledged_at__isnull=False, acknowledged_by__isnull=False),
                name="alert_acknowledged_whole",
            ),
            models.CheckConstraint(
                condition=Q(status="resolved", resolved_at__isnull=False) & ~Q(outcome="")
                | ~Q(status="resolved") & Q(resolved_at__isnull=True, outcome=""),
                name="alert_resolved_with_outcome",
            ),
        ]
        indexes = [
            models.Index(
                fields=["level_due_at"],
                condition=~Q(status="resolved"),
                name="alert_level_due",
            ),
            models.Index(fields=["patient", "-opened_at"], name="alert_of_patient"),
            models.Index(fields=["-evidence_at"], name="alert_newest_evidence"),
            models.Index(
                fields=["exhausted_at"],
                condition=Q(exhausted_at__isnull=False, status="open"),
                name="alert_exhausted",
            ),
            models.Index(
                fields=["look_again_on"],
                condition=Q(look_again_on__isnull=False, look_again_told_at__isnull=True),
                name="alert_look_again",
            ),
        ]


class AcuteReport(models.Model):
    """The acute part of a check-in that was refused for another reason: the alert must not wait.

    Unique by (patient, client id); the corrected retry joins the same alert.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    patient = models.ForeignKey("accounts.Patient", models.PROTECT, related_name="acute_reports")
    client_id = models.UUIDField()
    received_at = models.DateTimeField()
    facts = models.JSONField()
    error_code = models.CharField(max_length=40)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "client_id"], name="acute_report_once_per_client_id"
            )
        ]


class AlertEvidence(models.Model):
    """Ties one acute check-in, or one acute report, to exactly one alert."""

    id = models.BigAutoField(primary_key=True)
    alert = models.ForeignKey(Alert, models.PROTECT, related_name="evidence")
    check_in = models.OneToOneField(
        "tracking.CheckIn", models.PROTECT, null=True, related_name="alert_evidence"
    )
    acute_report = models.OneToOneField(
        AcuteReport, models.PROTECT, null=True, related_name="alert_evidence"
    )
    at = models.DateTimeField()
    round = models.PositiveSmallIntegerField()
    severity = models.CharField(max_length=8, choices=Severity.choices)
    rules = models.JSONField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(check_in__isnull=False) ^ Q(acute_report__isnull=False),
                name="alert_evidence_one_source",
            )
        ]


class AlertActKind(models.TextChoices):
    ACKNOWLEDGED = "acknowledged"
    ACTED = "acted"
    RESOLVED = "resolved"
    ESCALATED = "escalated"
    RENEWED = "renewed"
    REVISED = "revised"
    RECOVERED = "recovered"
    EXHAUSTED = "exhausted"


class AlertAct(models.Model):
    """What was done about an alert, by whom, in order. A clinician's app makes the id."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    alert = models.ForeignKey(Alert, models.PROTECT, related_name="acts")
    at = models.DateTimeField()
    kind = models.CharField(max_length=14, choices=AlertActKind.choices)
    by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    note = SealedText(patient="alert.patient_id")
    facts = models.JSONField(default=dict)


class Nudge(Answerable):
    """A low-burden message to the patient. At most one of a kind on one of the person's dates.

    `step` is the patient's own coping step that it shows, where they have one.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    patient = models.ForeignKey("accounts.Patient", models.PROTECT, related_name="nudges")
    local_date = models.DateField()
    kind = models.CharField(max_length=16)
    reasons = models.JSONField(default=list)
    decided_at = models.DateTimeField()
    was_sent = models.BooleanField()
    why_not = models.CharField(max_length=24, blank=True)
    step = models.ForeignKey(CopingStep, models.SET_NULL, null=True, related_name="nudges")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "local_date", "kind"], name="nudge_one_per_day_and_kind"
            ),
            models.CheckConstraint(
                condition=Q(was_sent=True, why_not="") | Q(was_sent=False) & ~Q(why_not=""),
                name="nudge_sent_or_why_not",
            ),
        ]
        indexes = [
            models.Index(
                fields=["snoozed_until"],
                condition=Q(snoozed_until__isnull=False),
                name="nudge_snoozed",
            )
        ]
