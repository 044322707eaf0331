"""Members of staff who read more patients within an hour than is usual."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction

from backend.accounts import audit
from backend.accounts.access import access_administrator
from backend.accounts.actor import Actor
from backend.privacy.models import MassRead
from backend.privacy.selectors import Reads, mass_reads_page, organisations_of, reads_by_person
from backend.privacy.thresholds import patients_an_hour

logger = structlog.get_logger(__name__)

WITHIN = timedelta(hours=1)


def find_mass_reads(*, now: datetime, allowed: int | None = None) -> int:
    """Flags who passed the number of patients in the last hour; returns how many were new.

    Somebody flagged within the last hour is not flagged again; their row grows with what they read.
    """
    limit = patients_an_hour() if allowed is None else allowed
    found = reads_by_person(since=now - WITHIN, until=now, more_than=limit)
    organisations = organisations_of([reads.reader_id for reads in found])
    flagged = 0
    for reads in found:
        organisation_id = organisations.get(reads.reader_id)
        if organisation_id is not None:
            flagged += _flag(reads, organisation_id, allowed=limit, now=now)
    return flagged


@transaction.atomic
def _flag(reads: Reads, organisation_id: UUID, *, allowed: int, now: datetime) -> bool:
    grown = {"patients": reads.patients, "last_read_at": reads.last_read_at}
    recent = MassRead.objects.filter(reader_id=reads.reader_id, found_at__gt=now - WITHIN)
    if recent.exists():
        recent.filter(patients__lt=reads.patients).update(**grown)
        return False
    row, is_new = MassRead.objects.get_or_create(
        reader_id=reads.reader_id,
        hour_at=now.replace(minute=0, second=0, microsecond=0),
        defaults={
            "organisation_id": organisation_id,
            "reader_role": reads.role,
            "allowed": allowed,
            "first_read_at": reads.first_read_at,
            "found_at": now,
            **grown,
        },
    )
    if is_new:
        audit.record(
            actor=Actor.system("find_mass_reads"),
            action="mass_read.find",
            object_kind="mass_read",
            object_id=row.pk,
            facts={"reader": str(reads.reader_id), "patients": reads.patients},
        )
        logger.warning("mass_read_found", count=reads.patients)
    return is_new


@transaction.atomic
def read_mass_reads(
    *, actor: Actor, size: int, before: tuple[datetime, UUID] | None
) -> list[MassRead]:
    """Up to `size` + 1 of the administrator's organisation, the newest first.

    Raises `Forbidden` for everyone else.
    """
    organisation = access_administrator(actor).organisation
    rows = mass_reads_page(organisation, size=size, before=before)
    audit.record(actor=actor, action="mass_reads.read", facts={"count": min(len(rows), size)})
    return rows
