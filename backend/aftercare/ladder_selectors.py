"""Reads of an organisation's ladder by version, and of its rota."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Max, Q, QuerySet

from backend.accounts.access import ORGANISATION_WIDE
from backend.accounts.models import Clinician, ClinicianRole, Organisation
from backend.aftercare.ladder import standing
from backend.aftercare.models import EscalationLadder, OnCallShift


def ladder_versions(organisation_id: UUID) -> QuerySet[EscalationLadder]:
    """All of them, the newest first."""
    return EscalationLadder.objects.filter(organisation_id=organisation_id).order_by("-version")


def newest_ladder(organisation_id: UUID) -> EscalationLadder | None:
    """None for an organisation that climbs the standard one."""
    return ladder_versions(organisation_id).first()


@dataclass(frozen=True, slots=True)
class RotaView:
    """Who is on call at one moment, and the shifts that lie at least in part in the time asked for.

    Without a rota everybody with the role is on call. `planned_until` is when the last shift of
    all ends, `staff` who may be given one, by name.
    """

    time_zone: str
    has_rota: bool
    on_call: Sequence[Clinician]
    shifts: Sequence[OnCallShift]
    planned_until: datetime | None
    staff: Sequence[Clinician]


def read_rota(organisation: Organisation, *, now: datetime, until: datetime) -> RotaView:
    """As it stands now, with what comes until then."""
    stands = standing(organisation.pk, now=now)
    staff = Clinician.objects.filter(organisation=organisation, user__is_active=True)
    if stands.has_rota:
        on_call = staff.filter(user_id__in=stands.on_shift)
    else:
        on_call = staff.filter(roles__contains=[ClinicianRole.ON_CALL.value])
    shifts = OnCallShift.objects.filter(
        organisation=organisation, cancelled_at=None, ends_at__gt=now, starts_at__lt=until
    )
    ahead = OnCallShift.objects.filter(organisation=organisation, cancelled_at=None)
    return RotaView(
        time_zone=organisation.time_zone,
        has_rota=stands.has_rota,
        on_call=list(on_call.order_by("display_name", "pk")),
        shifts=list(shifts.select_related("clinician").order_by("starts_at", "pk")),
        planned_until=ahead.aggregate(last=Max("ends_at", filter=Q(ends_at__gt=now)))["last"],
        staff=list(
            staff.filter(roles__overlap=list(ORGANISATION_WIDE)).order_by("display_name", "pk")
        ),
    )
