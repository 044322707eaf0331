"""What a consent can be about: a name here, and a `SharedScope` of the area that holds it.

Areas register theirs in `settings.CONSENT_SCOPES`. A name that nobody registered cannot be granted
and opens nothing; a test finds it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from backend.accounts.models import Patient


class ConsentScope(StrEnum):
    """The parts of a record that a patient can let somebody see, each by itself."""

    CHECK_INS = "check_ins"
    NOTES = "notes"
    TRENDS = "trends"
    ALERTS = "alerts"
    CONTACT_DETAILS = "contact_details"


TELLS_OF: Mapping[str, ConsentScope | None] = {
    "asked": None,
    "strong_craving": ConsentScope.CHECK_INS,
    "use_reported": ConsentScope.CHECK_INS,
    "not_safe": ConsentScope.CHECK_INS,
    "silence": ConsentScope.CHECK_INS,
}
"""The part of the record that a support contact learns of in each situation; of none when asked."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Of which days, both included, and in which language sentences are wanted."""

    first: date
    last: date
    language: str


Shown = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class SharedScope:
    """A scope as its area shows it. `object_kind` names one row; `tables` are labels of models.

    `gather` reads what may be shown: never a private note, a score or an outlook.
    """

    name: ConsentScope
    object_kind: str
    tables: tuple[str, ...]
    gather: Callable[[Patient, Asked], Shown]


@cache
def registered() -> Mapping[ConsentScope, SharedScope]:
    """Every scope that an area has registered. Raises `ValueError` where two claim one name."""
    found: dict[ConsentScope, SharedScope] = {}
    for path in settings.CONSENT_SCOPES:
        scope: SharedScope = import_string(path)
        if scope.name in found:
            raise ValueError(f"scope {scope.name} is registered twice")
        found[scope.name] = scope
    return found
