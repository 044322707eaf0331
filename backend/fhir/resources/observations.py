"""Observation: one for each item of a check-in that was answered.

Its id is the check-in's, with the code of the item behind it.
"""

from __future__ import annotations

from datetime import timedelta, timezone
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db.models import Q
from fhir.resources.R4B.observation import Observation

from backend.fhir.items import BY_CODE, ITEMS, Item
from backend.fhir.kinds import (
    Found,
    Kind,
    Position,
    Reader,
    Search,
    as_uuid,
    bad_cursor,
    mark_of,
    matches,
)
from backend.fhir.labels import META
from backend.fhir.selectors import check_ins, newest_first, owner_of
from backend.tracking.models import CheckIn

SURVEY = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/observation-category",
            "code": "survey",
            "display": "Survey",
        }
    ]
}
UUID_LENGTH = 36


def _parted(resource_id: str) -> tuple[UUID | None, Item | None]:
    item = BY_CODE.get(resource_id[UUID_LENGTH + 1 :])
    is_whole = resource_id[UUID_LENGTH : UUID_LENGTH + 1] == "-" and item is not None
    return (as_uuid(resource_id[:UUID_LENGTH]), item) if is_whole else (None, None)


def _owner(resource_id: str) -> UUID | None:
    return owner_of(check_ins(), _parted(resource_id)[0])


def _build(row: CheckIn, item: Item, reader: Reader) -> Any | None:
    members = item.members(row, reader)
    if not members:
        return None
    here = timezone(timedelta(minutes=row.utc_offset_minutes))
    return Observation.model_validate(
        {
            "id": f"{row.pk}-{item.code}",
            "meta": META,
            "language": reader.language,
            "status": "final" if row.revision == 1 else "amended",
            "category": [SURVEY],
            "code": item.concept(),
            "subject": reader.subject,
            "effectiveDateTime": row.recorded_at.astimezone(here),
            "issued": row.received_at,
            "performer": [reader.subject],
            **members,
        }
    )


def _find(reader: Reader, resource_id: str) -> Any | None:
    check_in_id, item = _parted(resource_id)
    if check_in_id is None or item is None:
        return None
    row = check_ins().filter(patient=reader.patient, pk=check_in_id).first()
    return _build(row, item, reader) if row else None


def _wanted(search: Search) -> list[Item]:
    return [item for item in ITEMS if all(matches(tokens, item.codings) for tokens in search.codes)]


def _page(reader: Reader, search: Search, after: Position | None, size: int) -> list[Found]:
    wanted = _wanted(search)
    if not wanted:
        return []
    has_one: Q = reduce(or_, (item.shown_to(reader) for item in wanted))
    rows = newest_first(
        check_ins().filter(has_one, patient=reader.patient),
        at="recorded_at",
        dates=search.dates,
        after=mark_of(after) if after else None,
        includes_mark=True,
        # Each has at least one item, and the marked one may have been shown whole.
        size=size + 2,
    )
    found: list[Found] = []
    for row in rows:
        found += _after(_of(row, wanted, reader), after)
        if len(found) > size:
            break
    return found[: size + 1]


def _of(row: CheckIn, wanted: list[Item], reader: Reader) -> list[Found]:
    built = ((item, _build(row, item, reader)) for item in wanted)
    return [
        Found(resource, (row.recorded_at.isoformat(), str(row.pk), item.code))
        for item, resource in built
        if resource is not None
    ]


def _after(found: list[Found], after: Position | None) -> list[Found]:
    """What of the marked check-in is still to come; all of any other."""
    if after is None or not found or found[0].position[1] != after[1]:
        return found
    if len(after) != 3 or after[2] not in BY_CODE:
        raise bad_cursor()
    order = list(BY_CODE)
    last = order.index(after[2])
    return [one for one in found if order.index(one.position[2]) > last]


KIND = Kind(
    name="Observation",
    route="<str:observation_id>",
    tables=(CheckIn,),
    owner_of=_owner,
    find=_find,
    page=_page,
    date_parameter="date",
    has_codes=True,
)
