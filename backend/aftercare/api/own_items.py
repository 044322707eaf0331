"""What the routes of one's own things share."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any, ClassVar

from django.utils.translation import gettext as _
from msgspec import UNSET, Meta, Struct
from msgspec.structs import asdict
from rest_framework.request import Request
from rest_framework.response import Response

from backend import errors
from backend.accounts.actor import Role
from backend.rest import HandrailView

PATIENT_ONLY = frozenset({Role.PATIENT})
Words = Annotated[str, Meta(max_length=500)]
Order = Annotated[int, Meta(ge=0, le=1000)]


def values_of(body: Struct, *, needed: Collection[str]) -> dict[str, Any]:
    """The fields that were sent, lists without repeats. Raises `Invalid` for a blank needed one."""
    values = {name: value for name, value in asdict(body).items() if value is not UNSET}
    values.pop("id", None)
    for name in needed:
        if name in values and not values[name].strip():
            raise errors.invalid_field(f"/{name}", "empty", _("There is nothing in it."))
    return {
        name: list(dict.fromkeys(value)) if isinstance(value, list) else value
        for name, value in values.items()
    }


class OwnItemView(HandrailView):
    """Answers one row with its revision as `ETag`; a conflict carries the stored copy."""

    show: ClassVar[Any]

    def answer(self, row: Any, *, status: int = 200) -> Response:
        response = Response(type(self).show(row), status=status)
        response["ETag"] = f'"{row.revision}"'
        return response

    def extend_problem(self, request: Request, problem: dict[str, Any]) -> None:
        if "stored" in problem:
            problem["stored"] = type(self).show(problem["stored"])
