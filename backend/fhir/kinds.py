"""What every type of resource has to say about itself, so that routes and searches need no more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Model
from django.utils.translation import gettext as _

from backend import errors
from backend.accounts.models import Patient
from backend.fhir.dates import DateTest

Position = tuple[str, ...]
Mark = tuple[datetime, UUID]


class Token(NamedTuple):
    """A code that is searched for; without a system it is one of any system."""

    system: str | None
    code: str


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose data are read, and whether they read them themselves."""

    patient: Patient
    is_self: bool
    language: str

    @property
    def subject(self) -> dict[str, str]:
        return {"reference": f"Patient/{self.patient.pk}"}


@dataclass(frozen=True, slots=True)
class Search:
    """What narrows a search. Every date must hold, and one code of each group."""

    dates: Sequence[DateTest] = ()
    codes: Sequence[Sequence[Token]] = ()


class Found(NamedTuple):
    """A resource and where it stands in its order."""

    resource: Any
    position: Position


@dataclass(frozen=True)
class Kind:
    """One type of resource, as the registry holds it.

    `page` answers up to `size` + 1 in an order that does not change, those after a position of
    its own. `tables` are what it shows; `route` is how its ids look in an address.
    """

    name: str
    route: str
    tables: tuple[type[Model], ...]
    owner_of: Callable[[str], UUID | None]
    find: Callable[[Reader, str], Any | None]
    page: Callable[[Reader, Search, Position | None, int], list[Found]]
    date_parameter: str = ""
    has_codes: bool = False
    operations: tuple[str, ...] = field(default=())

    @property
    def patient_parameter(self) -> str:
        return "_id" if self.name == "Patient" else "patient"


def concept(system: str, code: str, text: object = "") -> dict[str, Any]:
    """A code of ours with its words in the language that is active."""
    found: dict[str, Any] = {"coding": [{"system": system, "code": code}]}
    return {**found, "text": str(text)} if text else found


def matches(tokens: Sequence[Token], codings: Sequence[tuple[str, str]]) -> bool:
    """Whether one of these tokens means one of these codes."""
    return any(
        token.code == code and token.system in (None, system)
        for token in tokens
        for system, code in codings
    )


def mark_of(position: Position) -> Mark:
    """Raises `Invalid` for anything this server did not hand out."""
    try:
        at, last_id, *_rest = position
        return datetime.fromisoformat(at).astimezone(UTC), UUID(last_id)
    except (ValueError, OverflowError):
        raise bad_cursor() from None


def bad_cursor() -> errors.Invalid:
    return errors.Invalid("invalid_cursor", _("This page marker is not one of ours."))


def as_uuid(raw: str) -> UUID | None:
    try:
        return UUID(raw)
    except ValueError:
        return None
