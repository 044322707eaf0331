"""The desk's guarded reads, each with its row in the audit log, and its guarded acts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Protocol
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from backend import errors
from backend.accounts import audit
from backend.accounts.access import Scope, access_patient, visible_patients
from backend.accounts.actor import Actor
from backend.accounts.models import Organisation, Patient
from backend.aftercare import rota
from backend.aftercare import services as aftercare
from backend.aftercare.caseload import CaseloadLine, caseload
from backend.aftercare.ladder_selectors import RotaView, read_rota
from backend.aftercare.models import Alert, OnCallShift
from backend.aftercare.selectors import find_alert
from backend.dashboard.desk import Desk, Office
from backend.dashboard.selectors import (
    alerts_with_acts,
    check_ins_between,
    latest_change,
    named,
)
from backend.dashboard.shift_form import Planned
from backend.program.models import DrugTest, EpisodeOfCare, ProgramSession
from backend.program.selectors import (
    drug_tests_of,
    episodes_of,
    find_session,
    sessions_between,
)
from backend.tracking.baselines import baseline_starts_of
from backend.tracking.models import Assessment, BaselineStart, CheckIn
from backend.tracking.outlooks import OutlookReading, read_outlook
from backend.tracking.packing import windows_up_to
from backend.tracking.selectors import latest_assessment, recorded_span
from backend.tracking.windows import Windows

SPARK_DAYS = 30
LONGEST_RANGE = timedelta(days=3 * 365)
# Who has been silent for longer than this is shown up to their last day instead of up to today.
STILL_CURRENT = timedelta(days=29)
PLANNED_AHEAD = timedelta(days=2 * 366)
SESSION_WEEKS = timedelta(weeks=4)


@dataclass(frozen=True, slots=True)
class CaseloadRecord:
    """The lines in their order, and the last `SPARK_DAYS` days of each patient who recorded any.

    `mark` changes when other people are on the list.
    """

    lines: list[CaseloadLine]
    windows: Windows
    mark: str


@dataclass(frozen=True, slots=True)
class PatientRecord:
    """Everything that a patient's page shows, of the days from `first` to `last`.

    `today` is the date where the patient is; `last` is earlier for who has long been silent.
    """

    patient: Patient
    today: date
    first: date
    last: date
    alerts: list[Alert]
    check_ins: list[CheckIn]
    assessment: Assessment | None
    days_silent: int | None
    episodes: list[EpisodeOfCare]
    sessions: list[ProgramSession]
    drug_tests: list[DrugTest]
    outlook: OutlookReading | None
    new_normal: BaselineStart | None


@dataclass(frozen=True, slots=True)
class PlanningRecord:
    """`today` is the date where the programme is; sessions in order, those called off too."""

    patient: Patient
    today: date
    episodes: list[EpisodeOfCare]
    sessions: list[ProgramSession]


class AlertAction(Protocol):
    """One of the acts of `aftercare.services`, its own facts bound already."""

    def __call__(self, *, patient_id: UUID, alert_id: UUID) -> Alert: ...


def read_caseload(desk: Desk, *, shown_before: str | None = None) -> CaseloadRecord:
    """Everyone this clinician may see, who needs someone first on top.

    `shown_before` is the mark of the list that an open page asks for again: who is on it is
    written into the audit log unless they are the same people.
    """
    patients = visible_patients(desk.actor).filter(discharged_at__isnull=True)
    lines = caseload(patients, language=desk.language, now=desk.now)
    ends = {}
    for line in lines:
        if line.days_silent is not None:
            today = desk.now.astimezone(ZoneInfo(line.patient.time_zone)).date()
            ends[line.patient.pk] = end_of(today, today - timedelta(days=line.days_silent))
    packed = {line.patient.pk: line.packed for line in lines}
    windows = windows_up_to(ends, packed, days=SPARK_DAYS)
    ids = sorted(line.patient.pk for line in lines)
    mark = hashlib.sha256(b"".join(patient_id.bytes for patient_id in ids)).hexdigest()
    if mark == shown_before:
        facts = {"count": len(lines), "refresh": True}
        audit.record(actor=desk.actor, action="caseload.read", facts=facts)
    else:
        audit.record_shown(
            actor=desk.actor, action="caseload.read", patient_ids=ids, facts={"refresh": False}
        )
    return CaseloadRecord(lines=lines, windows=windows, mark=mark)


def end_of(today: date, last_day: date) -> date:
    """The last day to show: today, or the last day recorded by who has long been silent."""
    return today if today - last_day <= STILL_CURRENT else last_day


def read_patient(desk: Desk, patient_id: UUID, *, days: int | None) -> PatientRecord:
    """One patient's page; `days` back from the last day to show, None for all there are.

    Raises `NotFound` for a patient who is not this clinician's.
    """
    patient = access_patient(desk.actor, patient_id, reading=True)
    today = desk.now.astimezone(ZoneInfo(patient.time_zone)).date()
    span = recorded_span(patient.pk)
    last = end_of(today, span[1]) if span else today
    whole = min((last - span[0]) if span else timedelta(0), LONGEST_RANGE).days + 1
    first = last - timedelta(days=(max(whole, SPARK_DAYS) if days is None else days) - 1)
    record = PatientRecord(
        patient=patient,
        today=today,
        first=first,
        last=last,
        alerts=list(alerts_with_acts(patient.pk)),
        check_ins=list(check_ins_between(patient.pk, first, last)),
        assessment=latest_assessment(patient.pk),
        days_silent=max((today - span[1]).days, 0) if span else None,
        episodes=episodes_of(patient.pk),
        sessions=sessions_between(patient.pk, *_session_span(patient, first, today)),
        drug_tests=drug_tests_of(patient.pk),
        outlook=read_outlook(patient, now=desk.now),
        new_normal=next(iter(baseline_starts_of(patient.pk)), None),
    )
    facts = {"from": first.isoformat(), "to": last.isoformat()}
    audit.record(actor=desk.actor, action="patient.read", patient_id=patient.pk, facts=facts)
    if record.outlook is not None and record.outlook.facts:
        audit.record(actor=desk.actor, action="outlook.read", patient_id=patient.pk)
    return record


def _session_span(patient: Patient, first: date, today: date) -> tuple[datetime, datetime]:
    """Those of the days shown, and of the weeks around today."""
    zone = ZoneInfo(patient.organisation.time_zone)
    begin = min(first, today - SESSION_WEEKS)
    return (
        datetime.combine(begin, time(), zone),
        datetime.combine(today + SESSION_WEEKS, time.max, zone),
    )


def read_planning(desk: Desk, patient_id: UUID) -> PlanningRecord:
    """What is planned from the beginning of this week on. Raises `NotFound`."""
    patient = access_patient(desk.actor, patient_id, reading=True)
    zone = ZoneInfo(patient.organisation.time_zone)
    today = desk.now.astimezone(zone).date()
    monday = datetime.combine(today - timedelta(days=today.weekday()), time(), zone)
    audit.record(actor=desk.actor, action="sessions.read", patient_id=patient.pk)
    return PlanningRecord(
        patient=patient,
        today=today,
        episodes=episodes_of(patient.pk),
        sessions=sessions_between(patient.pk, monday, monday + PLANNED_AHEAD),
    )


def may_change_patient(desk: Desk, patient_id: UUID) -> bool:
    """Whether they care for this patient: an emergency access alone changes nothing."""
    return visible_patients(desk.actor).filter(pk=patient_id).exists()


def read_session(desk: Desk, patient_id: UUID, session_id: UUID) -> tuple[Patient, ProgramSession]:
    """One session with what was recorded of it. Raises `NotFound`."""
    patient = access_patient(desk.actor, patient_id, reading=True)
    session = find_session(patient.pk, session_id)
    audit.record(
        actor=desk.actor,
        action="sessions.read",
        patient_id=patient.pk,
        object_kind="session",
        object_id=session.pk,
    )
    return patient, session


def read_alert(desk: Desk, patient_id: UUID, alert_id: UUID) -> tuple[Patient, Alert]:
    """One alert with its acts. Raises `NotFound`."""
    patient = access_patient(desk.actor, patient_id, reading=True)
    alert = alerts_with_acts(patient.pk).filter(pk=alert_id).first()
    if alert is None:
        return patient, find_alert(patient.pk, alert_id)
    audit.record(
        actor=desk.actor,
        action="alert.read",
        patient_id=patient.pk,
        object_kind="alert",
        object_id=alert.pk,
    )
    return patient, alert


def read_on_call(organisation: Organisation, *, now: datetime) -> RotaView:
    """The rota until the end of the last day that its page shows. Nothing of any patient."""
    zone = ZoneInfo(organisation.time_zone)
    last = now.astimezone(zone).date() + rota.SHOWN
    return read_rota(organisation, now=now, until=datetime.combine(last, time(), zone))


@transaction.atomic
def add_shifts(office: Office, plan: Planned) -> list[OnCallShift]:
    """All of them or none; the same again changes nothing. Raises what `add_shift` raises."""
    return [
        aftercare.add_shift(
            actor=office.actor,
            shift_id=uuid5(plan.first_id, str(nth)) if nth else plan.first_id,
            clinician_id=plan.clinician_id,
            starts_at=starts_at,
            ends_at=ends_at,
            now=office.now,
        )[0]
        for nth, (starts_at, ends_at) in enumerate(plan.spans)
    ]


def has_news(actor: Actor, patient_id: UUID, *, since: float) -> bool:
    """Whether something changed after that moment (seconds since 1970) that is not one's own.

    Shows nothing of the patient, so it leaves no row.
    """
    patient = access_patient(actor, patient_id, reading=True)
    latest = latest_change(patient.pk, by_others_than=actor.user_id)
    return latest is not None and latest.timestamp() > since


def seen_mark(alert: Alert) -> str:
    """What a reader of this alert has seen: changes when new evidence arrives."""
    return f"{alert.round}.{len(alert.reasons)}"


@transaction.atomic
def do_about_alert(
    desk: Desk, patient_id: UUID, alert_id: UUID, *, seen: str, action: AlertAction
) -> Alert:
    """Does it, unless something arrived that the reader has not seen: acting covers only that.

    Raises `Conflict` then, `NotFound`, and whatever the act itself raises.
    """
    patient = access_patient(desk.actor, patient_id, lock=True)
    alert = find_alert(patient.pk, alert_id)
    if seen != seen_mark(alert):
        raise errors.Conflict(
            "alert_changed",
            _("Something new has arrived since you opened this. Please read it first."),
        )
    return action(patient_id=patient.pk, alert_id=alert.pk)


@transaction.atomic
def find_patients(office: Office, words: Sequence[str], *, most: int) -> tuple[list[Patient], bool]:
    """Up to `most` of the organisation's, discharged ones too, whose name holds every word.

    And whether there are more. Whom it showed is written into the audit log.
    """
    patients = visible_patients(office.actor, scope=Scope.ADMINISTRATIVE)
    found = named(patients, words, most=most + 1)
    shown = found[:most]
    ids = [patient.pk for patient in shown]
    audit.record_shown(actor=office.actor, action="patients.read", patient_ids=ids)
    return shown, len(found) > most
