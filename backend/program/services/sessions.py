"""Planning sessions, calling one off, and recording who came."""

from __future__ import annotations

from datetime import date, datetime, time
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from backend import errors
from backend.accounts.access import access_patient
from backend.accounts.actor import Actor
from backend.accounts.models import Patient
from backend.program.models import (
    Attendance,
    AttendanceStatus,
    EpisodeOfCare,
    ProgramSession,
    SessionSeries,
)
from backend.program.recurrence import LONGEST, UnusableRuleError, occurrences
from backend.program.selectors import episode_on, find_session
from backend.program.services.storing import Stored, audit_act, find_replay, insert


@transaction.atomic
def plan_session(
    *,
    actor: Actor,
    patient_id: UUID,
    session_id: UUID,
    kind: str,
    starts_at: datetime,
    duration_minutes: int,
    now: datetime,
) -> Stored[ProgramSession]:
    """One session, also one of the past. The same again changes nothing.

    Raises `NotFound`, `Invalid` for a moment too far away, `Conflict` for an id that is taken and
    for a day that no episode of care covers.
    """
    patient = access_patient(actor, patient_id, lock=True)
    said = {"kind": kind, "starts_at": starts_at, "duration_minutes": duration_minutes}
    known = find_replay(ProgramSession, session_id, patient=patient, said=said)
    if known is not None:
        return Stored(known, is_new=False)
    _refuse_too_far(starts_at, now=now)
    zone = patient.organisation.time_zone
    row = ProgramSession(
        id=session_id,
        patient=patient,
        episode=_episode(patient, starts_at.astimezone(ZoneInfo(zone)).date()),
        time_zone=zone,
        **said,
    )
    insert(row)
    audit_act(actor, "session.plan", patient_id=patient.pk, row=row)
    return Stored(row, is_new=True)


@transaction.atomic
def plan_series(
    *,
    actor: Actor,
    patient_id: UUID,
    series_id: UUID,
    kind: str,
    first_on: date,
    at: time,
    duration_minutes: int,
    rule: str,
    now: datetime,
) -> Stored[SessionSeries]:
    """Every session of a weekly rule, on the clock of the programme. Again changes nothing.

    Each gets an id made of the series' own and its date. Raises `NotFound`, `Invalid` for a rule
    that cannot be used or a first day too far ahead, `Conflict` for an id that is taken and for a
    day that no episode of care covers.
    """
    patient = access_patient(actor, patient_id, lock=True)
    at = at.replace(second=0, microsecond=0, tzinfo=None)
    said = {"kind": kind, "first_on": first_on, "at": at, "rule": rule}
    said |= {"duration_minutes": duration_minutes}
    known = find_replay(SessionSeries, series_id, patient=patient, said=said)
    if known is not None:
        return Stored(known, is_new=False)
    zone = ZoneInfo(patient.organisation.time_zone)
    if abs(first_on - now.astimezone(zone).date()) > LONGEST:
        words = _("This is more than two years away.")
        raise errors.invalid_field("/first_on", "too_far_ahead", words)
    starts = _occurrences(rule, first_on, at, zone)
    days = [start.astimezone(zone).date() for start in starts]
    episode = _episode(patient, days[0])
    if episode.ended_on is not None and days[-1] > episode.ended_on:
        raise _no_episode()
    series = SessionSeries(id=series_id, patient=patient, time_zone=zone.key, **said)
    insert(series)
    for day, start in zip(days, starts, strict=True):
        insert(
            ProgramSession(
                id=uuid5(series_id, day.isoformat()),
                patient=patient,
                episode=episode,
                series=series,
                kind=kind,
                starts_at=start,
                time_zone=zone.key,
                duration_minutes=duration_minutes,
            )
        )
    audit_act(actor, "session_series.plan", patient_id=patient.pk, row=series, sessions=len(starts))
    return Stored(series, is_new=True)


@transaction.atomic
def cancel_session(*, actor: Actor, patient_id: UUID, session_id: UUID, now: datetime) -> None:
    """It does not take place, so nobody misses it. Again changes nothing.

    Raises `NotFound`, and `Conflict` where somebody recorded who came.
    """
    patient = access_patient(actor, patient_id, lock=True)
    session = find_session(patient.pk, session_id)
    if session.cancelled_at is not None:
        return
    if session.attendance.all():
        raise _recorded_already()
    session.cancelled_at = now
    session.save(update_fields=["cancelled_at"])
    audit_act(actor, "session.cancel", patient_id=patient.pk, row=session)


@transaction.atomic
def move_session(
    *,
    actor: Actor,
    patient_id: UUID,
    session_id: UUID,
    moved_id: UUID,
    starts_at: datetime,
    now: datetime,
) -> Stored[ProgramSession]:
    """The same session at another time: it is called off and planned anew as `moved_id`, in one.

    So nobody misses the one that did not take place. Again changes nothing, and so does the time
    that it has. Raises `NotFound`, `Invalid` for a moment too far away, and `Conflict` for an id
    that is taken, for one that was called off or that somebody recorded of who came, and for a day
    that no episode of care covers.
    """
    patient = access_patient(actor, patient_id, lock=True)
    session = find_session(patient.pk, session_id)
    known = find_replay(ProgramSession, moved_id, patient=patient, said={"starts_at": starts_at})
    if known is not None:
        return Stored(known, is_new=False)
    if session.cancelled_at is not None:
        raise errors.Conflict("session_cancelled", _("This session was cancelled."))
    if session.attendance.all():
        raise _recorded_already()
    if session.starts_at == starts_at:
        return Stored(session, is_new=False)
    _refuse_too_far(starts_at, now=now)
    row = ProgramSession(
        id=moved_id,
        patient=patient,
        episode=_episode(patient, starts_at.astimezone(ZoneInfo(session.time_zone)).date()),
        series=session.series,
        kind=session.kind,
        starts_at=starts_at,
        time_zone=session.time_zone,
        duration_minutes=session.duration_minutes,
    )
    insert(row)
    session.cancelled_at = now
    session.save(update_fields=["cancelled_at"])
    audit_act(actor, "session.move", patient_id=patient.pk, row=row, moved_from=str(session.pk))
    return Stored(row, is_new=True)


def _recorded_already() -> errors.Conflict:
    return errors.Conflict(
        "attendance_recorded", _("Attendance was recorded for this session already.")
    )


def _refuse_too_far(starts_at: datetime, *, now: datetime) -> None:
    if abs(starts_at - now) > LONGEST:
        words = _("This is more than two years away.")
        raise errors.invalid_field("/starts_at", "too_far_ahead", words)


@transaction.atomic
def record_attendance(
    *,
    actor: Actor,
    patient_id: UUID,
    session_id: UUID,
    attendance_id: UUID,
    status: str,
    now: datetime,
) -> Stored[ProgramSession]:
    """Whether they came; another id later corrects it. The same id and status change nothing.

    Who is excused may be so ahead of time. Raises `NotFound`, `Conflict` for an id that is taken,
    a session that was cancelled and one that has not begun.
    """
    patient = access_patient(actor, patient_id, lock=True)
    session = find_session(patient.pk, session_id)
    said = {"session_id": session.pk, "status": status}
    known = find_replay(Attendance, attendance_id, patient=patient, said=said)
    if known is not None:
        return Stored(session, is_new=False)
    if session.cancelled_at is not None:
        raise errors.Conflict("session_cancelled", _("This session was cancelled."))
    if session.starts_at > now and status != AttendanceStatus.EXCUSED:
        raise errors.Conflict("session_not_begun", _("This session has not begun yet."))
    session.attendance.filter(superseded_at__isnull=True).update(superseded_at=now)
    row = Attendance(
        id=attendance_id,
        session=session,
        patient=patient,
        status=status,
        recorded_at=now,
        recorded_by_id=actor.user_id,
    )
    insert(row)
    audit_act(actor, "attendance.record", patient_id=patient.pk, row=session)
    return Stored(find_session(patient.pk, session.pk), is_new=True)


def _occurrences(rule: str, first_on: date, at: time, zone: ZoneInfo) -> list[datetime]:
    try:
        return occurrences(rule, first_on=first_on, at=at, zone=zone)
    except UnusableRuleError:
        words = _(
            "This rule cannot be used: weekly ones with COUNT or UNTIL, up to 200 sessions in two"
            " years."
        )
        raise errors.invalid_field("/rule", "unusable_rule", words) from None


def _episode(patient: Patient, day: date) -> EpisodeOfCare:
    found = episode_on(patient.pk, day)
    if found is None:
        raise _no_episode()
    return found


def _no_episode() -> errors.Conflict:
    return errors.Conflict("no_episode", _("No episode of care covers this day."))
