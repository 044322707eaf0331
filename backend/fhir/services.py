"""Guarded reads. Each goes through the one door and is audited in its own transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from backend import errors
from backend.accounts import audit
from backend.accounts.access import access_own_patient, access_patient, not_found
from backend.accounts.actor import Actor, Role
from backend.accounts.models import Patient
from backend.fhir.dates import DateTest, parse_date
from backend.fhir.kinds import Found, Kind, Position, Reader, Search, Token, bad_cursor
from backend.row_security import acting_as_system


@dataclass(frozen=True, slots=True)
class Page:
    """Some resources, and where the next page begins; None on the last."""

    resources: Sequence[Any]
    next_position: Position | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What a search says, as it was written. Dates mean days where the patient is."""

    patient_id: UUID | None = None
    dates: Sequence[str] = ()
    codes: Sequence[Sequence[Token]] = ()
    after: Position | None = None
    size: int = 50


def invalid_parameter(name: str, detail: str) -> errors.Invalid:
    """The refusal of one parameter of a search."""
    return errors.Invalid("invalid_parameter", f"{name}: {detail}")


def _reader(actor: Actor, patient: Patient, language: str) -> Reader:
    return Reader(patient=patient, is_self=actor.role is Role.PATIENT, language=language)


@transaction.atomic
def read_one(*, actor: Actor, kind: Kind, resource_id: str, language: str) -> Any:
    """Raises `NotFound` for another's resource as for none."""
    # Whose it is is asked past one's own rows, so that a refusal names who was asked for.
    with acting_as_system("fhir.owner"):
        owner_id = kind.owner_of(resource_id)
    if owner_id is None:
        raise not_found()
    patient = access_patient(actor, owner_id, reading=True)
    found = kind.find(_reader(actor, patient, language), resource_id)
    if found is None:
        raise not_found()
    audit.record(
        actor=actor,
        action="fhir.read",
        patient_id=patient.pk,
        object_kind=kind.name,
        object_id=resource_id,
    )
    return found


@transaction.atomic
def search(*, actor: Actor, kind: Kind, asked: Asked, language: str) -> Page:
    """One page of one type. Patients mean themselves unless they say so; clinicians name one."""
    patient = _access(actor, kind, asked.patient_id)
    dates = _dates(kind, asked.dates, patient)
    found = kind.page(
        _reader(actor, patient, language),
        Search(dates=dates, codes=asked.codes),
        asked.after,
        asked.size,
    )
    page = _page(found, asked.size, lambda one: one.position)
    audit.record(
        actor=actor,
        action="fhir.search",
        patient_id=patient.pk,
        object_kind=kind.name,
        facts={"count": len(page.resources)},
    )
    return Page([one.resource for one in page.resources], page.next_position)


@transaction.atomic
def everything(
    *,
    actor: Actor,
    kinds: Sequence[Kind],
    patient_id: UUID,
    after: Position | None,
    size: int,
    language: str,
) -> Page:
    """One page of all that is a patient's, type after type in the order of the registry."""
    patient = access_patient(actor, patient_id, reading=True)
    reader = _reader(actor, patient, language)
    found: list[tuple[Kind, Found]] = []
    for kind, position in _still_to_come(kinds, after):
        missing = size - len(found)
        found += [(kind, one) for one in kind.page(reader, Search(), position, missing)]
        if len(found) > size:
            break
    page = _page(found, size, lambda pair: (pair[0].name, *pair[1].position))
    facts = {"count": len(page.resources)}
    audit.record(actor=actor, action="fhir.everything", patient_id=patient.pk, facts=facts)
    return Page([one.resource for _kind, one in page.resources], page.next_position)


def _access(actor: Actor, kind: Kind, patient_id: UUID | None) -> Patient:
    if patient_id is not None:
        return access_patient(actor, patient_id, reading=True)
    if actor.role is Role.PATIENT:
        return access_own_patient(actor)
    raise invalid_parameter(kind.patient_parameter, _("say whose, by one id."))


def _dates(kind: Kind, written: Sequence[str], patient: Patient) -> list[DateTest]:
    zone = ZoneInfo(patient.time_zone)
    try:
        return [parse_date(raw, zone=zone) for raw in written]
    except ValueError:
        wanted = _("a date such as 2026-03-04, ge, gt, le or lt before it.")
        raise invalid_parameter(kind.date_parameter, wanted) from None


def _page(found: Sequence[Any], size: int, position_of: Callable[[Any], Position]) -> Page:
    """`found` holds one more than `size` where there is a next page."""
    kept = found[:size]
    return Page(kept, position_of(kept[-1]) if len(found) > size else None)


def _still_to_come(
    kinds: Sequence[Kind], after: Position | None
) -> list[tuple[Kind, Position | None]]:
    if after is None:
        return [(kind, None) for kind in kinds]
    names = [kind.name for kind in kinds]
    if not after or after[0] not in names or len(after) == 1:
        raise bad_cursor()
    first = names.index(after[0])
    return [(kind, after[1:] if index == 0 else None) for index, kind in enumerate(kinds[first:])]
