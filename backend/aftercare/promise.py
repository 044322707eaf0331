"""The monitoring promise: who will see this and when, computed from what is true now.

No sentence ever implies that somebody is watching when nobody is. Where anything is missing (a
care team, a phone that can be reached, a running delivery, an active patient) it says that
nobody has been told, and the help comes first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import formats, translation

from backend.accounts import selectors as accounts
from backend.accounts.hot_reads import has_care_team
from backend.accounts.models import Patient
from backend.accounts.selectors import Reachable
from backend.aftercare.decision_rules import Severity
from backend.aftercare.ladder import (
    care_team,
    told_by_rota,
    told_without_a_phone,
    works_throughout,
)
from backend.aftercare.models import Alert
from backend.aftercare.monitoring_hours import is_open, next_closing, working_deadline
from backend.aftercare.policy import RESPONSE
from backend.aftercare.texts import render
from backend.notifications.selectors import delivery_is_alive, working_addresses

# "2:30 PM" and not "2:30 p.m.", which would end a sentence with two full stops.
CLOCK = {"en": "g:i A", "es": "H:i"}


@dataclass(frozen=True, slots=True)
class Promise:
    """`told` is true only while a message is on its way to somebody who can be reached.

    `expected_by` is when somebody is expected to have looked; None when nobody is.
    """

    statement: str
    told: bool
    expected_by: datetime | None


def monitoring_promise(
    patient: Patient, *, alert: Alert | None, is_late: bool, language: str, now: datetime
) -> Promise:
    """What may truthfully be said about one check-in, in the patient's language and zone."""
    if not patient.is_active:
        return _nobody("promise.left_programme", language)
    if not patient.is_monitored:
        return _unwatched(patient, alert, language=language, now=now)
    if alert is None or alert.severity == Severity.MEDIUM:
        # A medium alert waits for the morning, so nothing more may be said than for a calm day.
        return _routine(patient, language=language, now=now)
    if not alert.ladder:
        return _nobody("promise.nobody_told", language)
    if alert.exhausted_at is not None:
        return _nobody("promise.nobody_reached", language)
    reached = _reached(patient, alert, now=now)
    if not reached or not delivery_is_alive(now=now):
        return _nobody("promise.no_channel", language)
    return _on_its_way(patient, alert, reached, is_late=is_late, language=language, now=now)


def _unwatched(patient: Patient, alert: Alert | None, *, language: str, now: datetime) -> Promise:
    """Who left monitoring is promised nothing, also where an acute check-in told somebody."""
    reached = _reached(patient, alert, now=now) if alert is not None else []
    if not reached or not delivery_is_alive(now=now):
        return _nobody("promise.left_monitoring", language)
    who = _who([one.name for one in care_team(reached)], language)
    statement = render("promise.left_monitoring_sent", language=language, who=who)
    return Promise(statement=statement, told=True, expected_by=None)


def _reached(patient: Patient, alert: Alert, *, now: datetime) -> list[Reachable]:
    """Who of those told so far has a phone that can be reached now, or, where their rung is told
    without one, an address that works."""
    told = {UUID(user_id) for level in alert.ladder[: alert.level + 1] for user_id in level}
    found = accounts.clinicians_among(patient, told, on=now.date())
    otherwise = told_without_a_phone(alert.ladder, alert.rungs, level=alert.level)
    addresses = working_addresses(otherwise, now=now) if otherwise else frozenset()
    return [
        one
        for one in found
        if (one.user_id in addresses if one.user_id in otherwise else one.has_live_device)
    ]


def not_saved(language: str) -> Promise:
    """What may be said about something that was refused and told nobody."""
    return _nobody("promise.not_saved", language)


def _nobody(text_id: str, language: str) -> Promise:
    return Promise(statement=render(text_id, language=language), told=False, expected_by=None)


def _routine(patient: Patient, *, language: str, now: datetime) -> Promise:
    organisation = patient.organisation
    read_by = next_closing(organisation.monitoring_hours, ZoneInfo(organisation.time_zone), now=now)
    if read_by is None or not _is_in_care(patient, now=now):
        return _nobody("promise.nobody_told", language)
    statement = render(
        "promise.routine_weekdays",
        language=language,
        time=spoken_time(read_by, zone=patient.time_zone, language=language, now=now),
    )
    return Promise(statement=statement, told=False, expected_by=read_by)


def _is_in_care(patient: Patient, *, now: datetime) -> bool:
    known = patient.had_care_team_on_arrival
    return has_care_team(patient.pk, now=now) if known is None else known


def _on_its_way(
    patient: Patient,
    alert: Alert,
    reached: Sequence[Reachable],
    *,
    is_late: bool,
    language: str,
    now: datetime,
) -> Promise:
    organisation = patient.organisation
    zone, hours = ZoneInfo(organisation.time_zone), organisation.monitoring_hours
    within = RESPONSE[Severity(alert.severity)].due_within
    names = [one.name for one in care_team(reached)]
    is_staffed = is_open(hours, zone, now=now)
    expected_by = working_deadline(hours, zone, now=now, within=within)
    if not is_staffed and not is_late and _is_on_shift(alert, reached, now=now, within=within):
        is_staffed, expected_by, names = True, now + within, []
    if expected_by is None:
        return _nobody("promise.nobody_told", language)
    text_id = "promise.alert_sent" if is_staffed else "promise.outside_hours"
    statement = render(
        "promise.late" if is_late else text_id,
        language=language,
        who=_who(names, language),
        time=spoken_time(expected_by, zone=patient.time_zone, language=language, now=now),
    )
    return Promise(statement=statement, told=True, expected_by=expected_by)


def _is_on_shift(
    alert: Alert, reached: Sequence[Reachable], *, now: datetime, within: timedelta
) -> bool:
    """Whether a rota has somebody at work who was told and can be reached, for all of that time."""
    by_rota = told_by_rota(alert.ladder, alert.rungs, level=alert.level)
    asked = by_rota & {one.user_id for one in reached}
    return bool(asked) and works_throughout(asked, since=now, until=now + within)


def _who(names: Sequence[str], language: str) -> str:
    if not names:
        return render("promise.who_on_call", language=language)
    if len(names) == 1:
        return names[0]
    return render(
        "promise.who_several", language=language, names=", ".join(names[:-1]), last=names[-1]
    )


def spoken_time(at: datetime, *, zone: str, language: str, now: datetime) -> str:
    """A time as people say it, in the person's zone: the weekday is named unless it is today."""
    today = now.astimezone(ZoneInfo(zone)).date()
    # To the minute, as it is said: one time of closing is spoken of to everybody all day.
    return _spoken(at.replace(second=0, microsecond=0), zone, language, today)


@lru_cache(maxsize=4096)
def _spoken(at: datetime, zone: str, language: str, today: date) -> str:
    local = at.astimezone(ZoneInfo(zone))
    with translation.override(language):
        clock = formats.time_format(local.time(), CLOCK.get(language[:2], "H:i"))
        if local.date() == today:
            return clock
        return f"{formats.date_format(local, 'l')}, {clock}"
