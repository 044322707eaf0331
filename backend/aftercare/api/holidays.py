"""`/api/v1/holidays`: days on which the administrator's own organisation does not work."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from backend import errors
from backend.accounts.access import access_administrator
from backend.accounts.actor import Role
from backend.accounts.authentication import actor_of
from backend.accounts.models import Organisation
from backend.aftercare import services
from backend.aftercare.monitoring_hours import HOLIDAYS
from backend.openapi import problems
from backend.rest import HandrailView, read_body

ADMINISTRATOR_ONLY = frozenset({Role.ADMINISTRATOR})


class Holiday(Struct, forbid_unknown_fields=True):
    on: date
    name: Annotated[str, Meta(min_length=1, max_length=80)]


class HolidayList(Struct, forbid_unknown_fields=True):
    """In the organisation's own zone, from midnight to midnight."""

    holidays: Annotated[list[Holiday], Meta(max_length=400)]


def show_holidays(organisation: Organisation) -> HolidayList:
    days: dict[str, str] = organisation.monitoring_hours.get(HOLIDAYS, {})
    return HolidayList(
        holidays=[Holiday(date.fromisoformat(on), name) for on, name in sorted(days.items())]
    )


class HolidaysView(HandrailView):
    allowed_roles = {"GET": ADMINISTRATOR_ONLY, "PUT": ADMINISTRATOR_ONLY}

    @extend_schema(
        operation_id="holidays",
        tags=["administration"],
        responses={200: HolidayList, **problems(401, 403)},
    )
    def get(self, request: Request) -> Response:
        """The days on which nobody of the organisation works."""
        return Response(show_holidays(access_administrator(actor_of(request)).organisation))

    @extend_schema(
        operation_id="set_holidays",
        tags=["administration"],
        request=HolidayList,
        responses={200: HolidayList, **problems(400, 401, 403, 413, 415)},
    )
    def put(self, request: Request) -> Response:
        """Replaces the list. What patients are promised follows it from the next answer on."""
        body = read_body(request, HolidayList)
        days = {one.on: one.name for one in body.holidays}
        if len(days) < len(body.holidays):
            raise errors.invalid_field("/holidays", "contradiction", _("A day is named twice."))
        organisation = services.set_holidays(actor=actor_of(request), days=days)
        return Response(show_holidays(organisation))
