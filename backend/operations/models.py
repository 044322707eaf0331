"""What the reconciler found when it last looked."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Finding(models.Model):
    """One row an invariant: how many rows break it now. It should always be none.

    `since` is when they were first found and `told_at` when the operator was told of it, both of
    this time alone: they are empty again as soon as none is left.
    """

    invariant = models.CharField(max_length=40, primary_key=True)
    count = models.PositiveIntegerField()
    checked_at = models.DateTimeField()
    since = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(count=0, since__isnull=True, told_at__isnull=True)
                | Q(count__gt=0, since__isnull=False),
                name="finding_since_whole",
            )
        ]
