"""What is said to a patient unasked: prompts by a schedule, answers to them, and every decision."""

from __future__ import annotations

from uuid import uuid4

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q


class Answerable(models.Model):
    """What the patient did with a message: put it aside, put it off, or said how it was."""

    dismissed_at = models.DateTimeField(null=True)
    snoozed_until = models.DateTimeField(null=True)
    helped = models.BooleanField(null=True)
    rating = models.PositiveSmallIntegerField(null=True)
    rated_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True


class DecisionKind(models.TextChoices):
    NUDGE = "nudge"
    PROMPT = "prompt"
    FLAG = "flag"


class Decision(models.Model):
    """Whether something was said, and why, or why not. Append-only.

    `source` is the rule or schedule behind it. `known` holds ids, counts and names of rules,
    never what a person wrote. `chosen` is one of `options`, or empty: then `why_not` says why.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    patient = models.ForeignKey(
        "accounts.Patient", models.PROTECT, related_name="decisions", db_index=False
    )
    at = models.DateTimeField()
    local_date = models.DateField()
    kind = models.CharField(max_length=8, choices=DecisionKind.choices)
    source = models.CharField(max_length=24)
    known = models.JSONField(default=dict)
    options = ArrayField(models.CharField(max_length=48), default=list)
    chosen = models.CharField(max_length=48, blank=True)
    reason = models.CharField(max_length=24, blank=True)
    why_not = models.CharField(max_length=24, blank=True)

    class Meta:
        constraints = [
            # The same question with the same answer on one day is one decision.
            models.UniqueConstraint(
                fields=["patient", "local_date", "kind", "source", "chosen", "why_not"],
                name="decision_once_a_day",
            ),
            models.CheckConstraint(
                condition=Q(chosen="") & ~Q(why_not="") & Q(reason="")
                | ~Q(chosen="") & Q(why_not="") & ~Q(reason=""),
                name="decision_chosen_or_why_not",
            ),
        ]
        indexes = [
            models.Index(fields=["patient", "-at", "-id"], name="decision_of_patient"),
        ]


class PromptKind(models.TextChoices):
    CHECK_IN = "check_in"
    OWN_PLAN = "own_plan"


class Repeats(models.TextChoices):
    """How often. The same words as `schedules.Every`."""

    DAY = "day"
    WEEKDAYS = "weekdays"
    WEEKS = "weeks"
    MONTH = "month"


class PromptSchedule(models.Model):
    """When this patient is prompted, by the wall clock of where they are.

    `next_look_at` is when a sweep looks again: at the next prompt, or some hours from now, so
    that a change of zone is never noticed late.
    """

    id = models.BigAutoField(primary_key=True)
    patient = models.ForeignKey("accounts.Patient", models.PROTECT, related_name="schedules")
    kind = models.CharField(max_length=12, choices=PromptKind.choices)
    is_on = models.BooleanField(default=True)
    every = models.CharField(max_length=8, choices=Repeats.choices, default=Repeats.DAY)
    at = models.TimeField()
    weekdays = ArrayField(models.PositiveSmallIntegerField(), default=list)
    interval_weeks = models.PositiveSmallIntegerField(default=1)
    day_of_month = models.PositiveSmallIntegerField(null=True)
    starts_on = models.DateField()
    next_look_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["patient", "kind"], name="schedule_one_of_a_kind")
        ]
        indexes = [
            models.Index(
                fields=["next_look_at"], condition=Q(is_on=True), name="schedule_next_look"
            )
        ]


class Prompt(Answerable):
    """One invitation. At most one of a kind on one of the person's dates, sent or not."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    patient = models.ForeignKey("accounts.Patient", models.PROTECT, related_name="prompts")
    local_date = models.DateField()
    kind = models.CharField(max_length=12, choices=PromptKind.choices)
    due_at = models.DateTimeField()
    decided_at = models.DateTimeField()
    was_sent = models.BooleanField()
    why_not = models.CharField(max_length=24, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "local_date", "kind"], name="prompt_one_per_day_and_kind"
            ),
            models.CheckConstraint(
                condition=Q(was_sent=True, why_not="") | Q(was_sent=False) & ~Q(why_not=""),
                name="prompt_sent_or_why_not",
            ),
        ]
        indexes = [
            models.Index(
                fields=["snoozed_until"],
                condition=Q(snoozed_until__isnull=False),
                name="prompt_snoozed",
            )
        ]
