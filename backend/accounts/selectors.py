"""Reads about people. What needs permission goes through `access.py`."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import TypeVar
from uuid import UUID

from django.db.models import Q, QuerySet

from backend.accounts.access import live_care_team
from backend.accounts.models import (
    CareTeamMember,
    Clinician,
    ClinicianRole,
    Device,
    Organisation,
    Patient,
    User,
)

Row = TypeVar("Row", Patient, Clinician)


def live_devices(user_id: UUID) -> list[Device]:
    """The phones that messages of this account go to now."""
    return list(
        Device.objects.filter(user_id=user_id, unbound_at__isnull=True, is_private=True).order_by(
            "registered_at"
        )
    )


def care_team_clinicians(patient_id: UUID, *, on: date) -> list[Clinician]:
    """Clinicians tied to this patient on that day, therapists first, then by name."""
    ties = (
        live_care_team(on=on)
        .filter(patient_id=patient_id, clinician__user__is_active=True)
        .select_related("clinician")
    )
    ordered = sorted(
        ties, key=lambda tie: (tie.role != ClinicianRole.THERAPIST, tie.clinician.display_name)
    )
    return [tie.clinician for tie in ordered]


def clinicians_with_role(organisation: Organisation, role: ClinicianRole) -> list[Clinician]:
    """The organisation's active clinicians who hold that role."""
    return list(
        Clinician.objects.filter(
            organisation=organisation, roles__contains=[role.value], user__is_active=True
        ).order_by("display_name")
    )


def users_with_live_device(user_ids: Collection[UUID]) -> set[UUID]:
    """Those of these accounts that a push can reach now."""
    return set(
        Device.objects.filter(
            user_id__in=user_ids, unbound_at__isnull=True, is_private=True
        ).values_list("user_id", flat=True)
    )


def language_of(user_id: UUID) -> str:
    """`en` when the account is unknown."""
    return User.objects.filter(pk=user_id).values_list("language", flat=True).first() or "en"


def own_live_devices(user_id: UUID) -> list[Device]:
    """Every phone that is bound to this account, private or not, the newest first."""
    rows = Device.objects.filter(user_id=user_id, unbound_at__isnull=True)
    return list(rows.order_by("-registered_at", "pk"))


def patients_page(
    organisation: Organisation, *, size: int, after: tuple[datetime, UUID] | None
) -> list[Patient]:
    """Up to `size` + 1 of the organisation's patients, in the order in which they were added."""
    return _page(Patient.objects.filter(organisation=organisation), size=size, after=after)


def clinicians_page(
    organisation: Organisation, *, size: int, after: tuple[datetime, UUID] | None
) -> list[Clinician]:
    """Up to `size` + 1 of the organisation's clinicians, in the order in which they were added."""
    rows = Clinician.objects.filter(organisation=organisation).select_related("user")
    return _page(rows, size=size, after=after)


def _page(rows: QuerySet[Row], *, size: int, after: tuple[datetime, UUID] | None) -> list[Row]:
    if after is not None:
        created_at, last_id = after
        rows = rows.filter(Q(created_at__gt=created_at) | Q(created_at=created_at, pk__gt=last_id))
    return list(rows.order_by("created_at", "pk")[: size + 1])


def care_team_of(patient: Patient, *, on: date) -> list[CareTeamMember]:
    """The ties that hold on that day, with their clinicians, by name."""
    ties = live_care_team(on=on).filter(patient=patient).select_related("clinician")
    return list(ties.order_by("clinician__display_name", "pk"))
