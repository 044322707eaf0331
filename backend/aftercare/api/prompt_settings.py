"""`/api/v1/me/prompt-settings`: when one wants to be prompted, and where one is."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated, Literal

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts.access import access_own_patient
from backend.accounts.actor import Role
from backend.accounts.authentication import actor_of
from backend.accounts.models import Patient
from backend.aftercare import services
from backend.aftercare.models import PromptSchedule
from backend.aftercare.selectors import schedules_of
from backend.aftercare.services.prompt_settings import Wanted
from backend.notifications.quiet_hours import QuietHours
from backend.openapi import problems
from backend.rest import HandrailView, read_body

PATIENT_ONLY = frozenset({Role.PATIENT})
Clock = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Weekday = Annotated[int, Meta(ge=0, le=6)]


class ScheduleBody(Struct, forbid_unknown_fields=True, kw_only=True):
    """`at` is on the wall clock of where one is; `weekdays` count from 0, Monday.

    `weeks`: on those days of every `interval_weeks`-th week, the week of `starts_on` the first.
    `month`: on `day_of_month`, or the last day of a month that is shorter.
    """

    kind: Literal["check_in", "own_plan"]
    is_on: bool = True
    every: Literal["day", "weekdays", "weeks", "month"] = "day"
    at: Clock = "19:00"
    weekdays: Annotated[list[Weekday], Meta(max_length=7)] = []
    interval_weeks: Annotated[int, Meta(ge=1, le=52)] = 1
    day_of_month: Annotated[int, Meta(ge=1, le=31)] | None = None
    starts_on: date | None = None


class PromptSettingsBody(Struct, forbid_unknown_fields=True):
    """What is not named stays as it is. Send `time_zone` when the phone's has changed.

    From `quiet_from` to `quiet_until`, on the wall clock, nothing but urgent messages is sent: 16
    hours at the most, and none where both are the same.
    """

    schedules: Annotated[list[ScheduleBody], Meta(max_length=2)] = []
    time_zone: Annotated[str, Meta(max_length=64)] | None = None
    quiet_from: Clock | None = None
    quiet_until: Clock | None = None


class ScheduleAnswer(Struct):
    kind: str
    is_on: bool
    every: str
    at: str
    weekdays: list[int]
    interval_weeks: int
    day_of_month: int | None
    starts_on: date


class PromptSettingsAnswer(Struct):
    """Between `quiet_from` and `quiet_until` nothing but urgent messages is sent."""

    time_zone: str
    quiet_from: str
    quiet_until: str
    schedules: list[ScheduleAnswer]


def show_schedule(row: PromptSchedule) -> ScheduleAnswer:
    return ScheduleAnswer(
        kind=row.kind,
        is_on=row.is_on,
        every=row.every,
        at=row.at.isoformat("minutes"),
        weekdays=row.weekdays,
        interval_weeks=row.interval_weeks,
        day_of_month=row.day_of_month,
        starts_on=row.starts_on,
    )


def show_settings(patient: Patient, *, now: datetime) -> PromptSettingsAnswer:
    hours = QuietHours.of(patient.quiet_hours)
    return PromptSettingsAnswer(
        time_zone=patient.time_zone,
        quiet_from=hours.start.isoformat("minutes"),
        quiet_until=hours.end.isoformat("minutes"),
        schedules=[show_schedule(row) for row in schedules_of(patient, now=now)],
    )


class PromptSettingsView(HandrailView):
    allowed_roles = {"GET": PATIENT_ONLY, "PUT": PATIENT_ONLY}

    @extend_schema(
        operation_id="prompt_settings",
        tags=["nudges"],
        responses={200: PromptSettingsAnswer, **problems(401, 403)},
    )
    def get(self, request: Request) -> Response:
        """When one is prompted: in the evening unless one has chosen otherwise."""
        patient = access_own_patient(actor_of(request))
        return Response(show_settings(patient, now=timezone.now()))

    @extend_schema(
        operation_id="set_prompt_settings",
        tags=["nudges"],
        request=PromptSettingsBody,
        responses={200: PromptSettingsAnswer, **problems(400, 401, 403, 413, 415)},
    )
    def put(self, request: Request) -> Response:
        """Chooses times, and says where one is. No date gets a second prompt by it."""
        body, now = read_body(request, PromptSettingsBody), timezone.now()
        patient = services.set_prompt_settings(
            actor=actor_of(request),
            time_zone=body.time_zone,
            wanted=[_wanted(one) for one in body.schedules],
            quiet_from=_time(body.quiet_from),
            quiet_until=_time(body.quiet_until),
            now=now,
        )
        return Response(show_settings(patient, now=now))


def _time(said: str | None) -> time | None:
    return None if said is None else time.fromisoformat(said)


def _wanted(body: ScheduleBody) -> Wanted:
    return Wanted(
        kind=body.kind,
        is_on=body.is_on,
        every=body.every,
        at=time.fromisoformat(body.at),
        weekdays=tuple(body.weekdays),
        interval_weeks=body.interval_weeks,
        day_of_month=body.day_of_month,
        starts_on=body.starts_on,
    )
