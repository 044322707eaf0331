"""Reads for the pages. Callers hold a patient that `access_patient` gave them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

from django.db.models import Max, Prefetch, Q, QuerySet

from backend.accounts.models import Clinician, Patient
from backend.aftercare.models import Alert, AlertAct
from backend.aftercare.selectors import alerts_of
from backend.tracking.models import CheckIn


def check_ins_between(patient_id: UUID, first: date, last: date) -> QuerySet[CheckIn]:
    """Of these days, the newest first."""
    return CheckIn.objects.filter(
        patient_id=patient_id, local_date__gte=first, local_date__lte=last
    ).order_by("-local_date", "-recorded_at", "-pk")


def alerts_with_acts(patient_id: UUID) -> QuerySet[Alert]:
    """As `alerts_of`, each with what was done about it, in order, and by whom."""
    acts = AlertAct.objects.select_related("by__clinician").order_by("at")
    return alerts_of(patient_id).prefetch_related(Prefetch("acts", queryset=acts))


def latest_change(patient_id: UUID, *, by_others_than: UUID | None) -> datetime | None:
    """When something last arrived, or somebody else last did something about an alert."""
    moments: Iterable[datetime | None] = (
        CheckIn.objects.filter(patient_id=patient_id).aggregate(at=Max("received_at"))["at"],
        Alert.objects.filter(patient_id=patient_id).aggregate(at=Max("evidence_at"))["at"],
        AlertAct.objects.filter(alert__patient_id=patient_id)
        .exclude(by_id=by_others_than)
        .aggregate(at=Max("at"))["at"],
    )
    return max((moment for moment in moments if moment), default=None)


def names_of(user_ids: Iterable[UUID]) -> dict[UUID, str]:
    """The names of the clinicians among these accounts."""
    rows = Clinician.objects.filter(user_id__in=list(user_ids))
    return dict(rows.values_list("user_id", "display_name"))


def named(patients: QuerySet[Patient], words: Sequence[str], *, most: int) -> list[Patient]:
    """Up to `most` of them, in the order of their names, whose name holds every word."""
    for word in words:
        patients = patients.filter(Q(given_name__icontains=word) | Q(family_name__icontains=word))
    return list(patients.order_by("family_name", "given_name", "pk")[:most])
