"""Reads for what leaves as FHIR. Callers hold a patient that `access_*` gave them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from backend.accounts.models import Consent, Patient
from backend.accounts.selectors import with_standing
from backend.aftercare.models import Alert, AlertStatus, Nudge
from backend.fhir.dates import DateTest
from backend.fhir.kinds import Mark
from backend.tracking.models import Assessment, CheckIn

Row = TypeVar("Row", bound=Model)


def owner_of(rows: QuerySet[Row], row_id: UUID | None) -> UUID | None:
    """Whose row this is, whoever asks. Only for asking `access_patient` about them."""
    found: UUID | None = rows.filter(pk=row_id).values_list("patient_id", flat=True).first()
    return found


def patient_exists(patient_id: UUID) -> bool:
    """Whether there is such a patient. Only for asking `access_patient` about them."""
    return Patient.objects.filter(pk=patient_id).exists()


def check_ins() -> QuerySet[CheckIn]:
    """All that nobody took back."""
    return CheckIn.objects.filter(withdrawn_at__isnull=True)


def assessments() -> QuerySet[Assessment]:
    """What the numbers said, every time."""
    return Assessment.objects.all()


def standing_alerts() -> QuerySet[Alert]:
    """Those that nobody has resolved, acknowledged ones included."""
    return Alert.objects.exclude(status=AlertStatus.RESOLVED)


def nudges() -> QuerySet[Nudge]:
    """What was decided, sent or not."""
    return Nudge.objects.all()


def consents() -> QuerySet[Consent]:
    """Everything that was signed, with whether it holds now."""
    return with_standing(Consent.objects.all(), at=timezone.now())


def newest_first(
    rows: QuerySet[Row],
    *,
    at: str,
    dates: Sequence[DateTest] = (),
    after: Mark | None = None,
    includes_mark: bool = False,
    size: int,
) -> list[Row]:
    """Up to `size` rows by the moment in the column `at`, those after (or from) the mark."""
    for test in dates:
        rows = rows.filter(_holds(at, test))
    if after is not None:
        moment, last_id = after
        last = "pk__lte" if includes_mark else "pk__lt"
        rows = rows.filter(Q(**{f"{at}__lt": moment}) | Q(**{at: moment, last: last_id}))
    return list(rows.order_by(f"-{at}", "-pk")[:size])


def _holds(at: str, test: DateTest) -> Q:
    inside = Q()
    if test.start is not None:
        inside &= Q(**{f"{at}__gte": test.start})
    if test.end is not None:
        inside &= Q(**{f"{at}__lt": test.end})
    return ~inside if test.is_negated else inside
