"""A type of resource that shows one row of one table each, the newest first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from backend.fhir.kinds import Found, Kind, Position, Reader, Search, as_uuid, mark_of
from backend.fhir.selectors import newest_first, owner_of

Row = TypeVar("Row", bound=Model)


def row_kind(
    *,
    name: str,
    route: str,
    table: type[Row],
    rows: Callable[[], QuerySet[Row]],
    at: str,
    build: Callable[[Row, Reader], Any],
    date_parameter: str,
) -> Kind:
    """`at` is the column that orders the rows and that the date parameter looks at."""

    def owner(resource_id: str) -> UUID | None:
        return owner_of(rows(), as_uuid(resource_id))

    def find(reader: Reader, resource_id: str) -> Any | None:
        row = rows().filter(patient_id=reader.patient.pk, pk=as_uuid(resource_id)).first()
        return build(row, reader) if row else None

    def page(reader: Reader, search: Search, after: Position | None, size: int) -> list[Found]:
        found = newest_first(
            rows().filter(patient_id=reader.patient.pk),
            at=at,
            dates=search.dates,
            after=mark_of(after) if after else None,
            size=size + 1,
        )
        return [
            Found(build(row, reader), (getattr(row, at).isoformat(), str(row.pk))) for row in found
        ]

    return Kind(
        name=name,
        route=route,
        tables=(table,),
        owner_of=owner,
        find=find,
        page=page,
        date_parameter=date_parameter,
    )
