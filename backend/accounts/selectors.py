"""Reads about people. What needs permission goes through `access.py`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from backend.accounts.access import live_care_team, live_consents
from backend.accounts.models import (
    CareTeamMember,
    Clinician,
    ClinicianRole,
    Consent,
    Device,
    Organisation,
    Patient,
    User,
)
from backend.rows import array_of, every

Row = TypeVar("Row", Patient, Clinician)


def live_devices(user_id: UUID) -> list[Device]:
    """The phones that messages of this account go to now."""
    return list(
        Device.objects.filter(user_id=user_id, unbound_at__isnull=True, is_private=True).order_by(
            "registered_at"
        )
    )


def users_with_live_device(user_ids: Collection[UUID]) -> set[UUID]:
    """Those of these accounts that a push can reach now."""
    found = every(
        "SELECT DISTINCT user_id FROM accounts_device"
        " WHERE user_id = ANY(%s::uuid[]) AND unbound_at IS NULL AND is_private",
        [array_of(user_ids)],
    )
    return {user_id for (user_id,) in found}


@dataclass(frozen=True, slots=True)
class Reachable:
    """One account of an organisation's clinicians, as an alert's ladder asks about it.

    `team_role` is the role on the patient's care team today, None without one.
    """

    user_id: UUID
    name: str
    team_role: str | None
    roles: Sequence[str]
    has_live_device: bool


_REACHABLE = """
SELECT c.user_id, c.display_name, m.role, c.roles, EXISTS (
        SELECT 1 FROM accounts_device d
        WHERE d.user_id = c.user_id AND d.unbound_at IS NULL AND d.is_private)
    FROM accounts_clinician c
    JOIN accounts_user u ON u.id = c.user_id AND u.is_active
    LEFT JOIN accounts_careteammember m ON m.clinician_id = c.id AND m.patient_id = %(patient_id)s
        AND m.started_on <= %(on)s AND (m.ended_on IS NULL OR m.ended_on > %(on)s)
    WHERE {whom}
    ORDER BY c.display_name
"""
_FOR_LADDER = _REACHABLE.format(
    whom="m.id IS NOT NULL OR c.organisation_id = %(organisation_id)s AND c.roles && %(roles)s"
)
_AMONG = _REACHABLE.format(
    whom="c.organisation_id = %(organisation_id)s AND c.user_id = ANY(%(ids)s::uuid[])"
)


def clinicians_for(
    patient: Patient, *, on: date, roles: Sequence[ClinicianRole] = ()
) -> list[Reachable]:
    """The patient's care team of that day and the organisation's clinicians with one of `roles`,
    all of them with open accounts, by name."""
    values = {
        "patient_id": patient.pk,
        "organisation_id": patient.organisation_id,
        "on": on,
        "roles": [role.value for role in roles],
    }
    return [Reachable(*row) for row in every(_FOR_LADDER, values)]


def clinicians_among(patient: Patient, user_ids: Collection[UUID], *, on: date) -> list[Reachable]:
    """Those of these accounts that are open and of the patient's organisation, by name."""
    values = {
        "patient_id": patient.pk,
        "organisation_id": patient.organisation_id,
        "on": on,
        "ids": array_of(user_ids),
    }
    return [Reachable(*row) for row in every(_AMONG, values)]


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


def find_consent(consent_id: UUID) -> Consent | None:
    """By the app's id, whoever's it is. Only for deciding about a replay."""
    return with_standing(Consent.objects.filter(pk=consent_id), at=timezone.now()).first()


def consents_of(patient_id: UUID, *, at: datetime) -> QuerySet[Consent]:
    """Everything this patient signed, with its revocation, and whether it `is_live` then."""
    return with_standing(Consent.objects.filter(patient_id=patient_id), at=at)


def with_standing(rows: QuerySet[Consent], *, at: datetime) -> QuerySet[Consent]:
    """These consents, each with its revocation, and whether it `is_live` then."""
    live = Exists(live_consents(at=at).filter(pk=OuterRef("pk")))
    return rows.select_related("revocation").annotate(is_live=live)


def consents_page(
    patient_id: UUID, *, at: datetime, size: int, before: tuple[datetime, UUID] | None
) -> list[Consent]:
    """Up to `size` + 1 of a patient's, the newest first."""
    rows = consents_of(patient_id, at=at)
    if before is not None:
        moment, last_id = before
        rows = rows.filter(Q(signed_at__lt=moment) | Q(signed_at=moment, pk__lt=last_id))
    return list(rows.order_by("-signed_at", "-pk")[: size + 1])
