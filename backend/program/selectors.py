"""Reads of the treatment a patient attends. Callers hold a patient that `access_*` gave them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Prefetch, Q, QuerySet

from backend.accounts.access import not_found
from backend.program.models import (
    Attendance,
    AttendanceStatus,
    DrugTest,
    EpisodeOfCare,
    ProgramSession,
    SessionSeries,
)
from backend.rows import among


@dataclass(frozen=True, slots=True)
class HeldSession:
    """A session that took place for the patient or went without them.

    `on` is its date in the programme's zone, `known_at` when its attendance was recorded.
    """

    on: date
    known_at: datetime
    status: str


def episodes_of(patient_id: UUID) -> list[EpisodeOfCare]:
    """The newest first, each with its phases."""
    rows = EpisodeOfCare.objects.filter(patient_id=patient_id).prefetch_related("phases")
    return list(rows.order_by("-started_on", "-pk"))


def find_episode(patient_id: UUID, episode_id: UUID) -> EpisodeOfCare:
    """One of this patient's. Raises `NotFound`."""
    row = EpisodeOfCare.objects.filter(patient_id=patient_id, pk=episode_id).first()
    if row is None:
        raise not_found()
    return row


def episode_on(patient_id: UUID, day: date) -> EpisodeOfCare | None:
    """The one that this day is in."""
    rows = EpisodeOfCare.objects.filter(patient_id=patient_id, started_on__lte=day)
    return rows.filter(Q(ended_on__isnull=True) | Q(ended_on__gte=day)).first()


def sessions_between(patient_id: UUID, first: datetime, last: datetime) -> list[ProgramSession]:
    """Those that start from `first` to before `last`, in order, each with what stands of it."""
    rows = _with_attendance(ProgramSession.objects.filter(patient_id=patient_id))
    return list(rows.filter(starts_at__gte=first, starts_at__lt=last).order_by("starts_at", "pk"))


def find_session(patient_id: UUID, session_id: UUID) -> ProgramSession:
    """One of this patient's, with what stands of it. Raises `NotFound`."""
    rows = _with_attendance(ProgramSession.objects.filter(patient_id=patient_id, pk=session_id))
    row = rows.first()
    if row is None:
        raise not_found()
    return row


def sessions_of_series(series: SessionSeries) -> list[UUID]:
    """The ids of its sessions, in order."""
    return list(series.sessions.order_by("starts_at", "pk").values_list("pk", flat=True))


def standing(session: ProgramSession) -> Attendance | None:
    """What was recorded last of a session that came from here."""
    found = session.attendance.all()
    return found[0] if found else None


def drug_tests_of(patient_id: UUID) -> list[DrugTest]:
    """Those that stand, the newest first."""
    rows = DrugTest.objects.filter(patient_id=patient_id, withdrawn_at__isnull=True)
    return list(rows.select_related("recorded_by__clinician").order_by("-collected_on", "-pk"))


def find_drug_test(patient_id: UUID, test_id: UUID) -> DrugTest:
    """One of this patient's, also a withdrawn one. Raises `NotFound`."""
    row = DrugTest.objects.filter(patient_id=patient_id, pk=test_id).first()
    if row is None:
        raise not_found()
    return row


def held_sessions(patient_ids: Sequence[UUID], *, since: datetime) -> dict[UUID, list[HeldSession]]:
    """Attended and missed sessions that started at or after that moment, in order.

    In one query, whatever the number of patients; who had none is left out. An excused session
    says nothing of the patient, and a cancelled one did not take place.
    """
    theirs = among(Attendance, "patient_id", patient_ids)
    return _held(Attendance.objects.filter(theirs), since=since)


def held_sessions_between(
    first: UUID, last: UUID, *, since: datetime
) -> dict[UUID, list[HeldSession]]:
    """The same of every patient from id `first` to `last`: a sweep names no thousands."""
    return _held(
        Attendance.objects.filter(patient_id__gte=first, patient_id__lte=last), since=since
    )


def _held(attendance: QuerySet[Attendance], *, since: datetime) -> dict[UUID, list[HeldSession]]:
    rows = attendance.filter(
        superseded_at__isnull=True,
        status__in=(AttendanceStatus.ATTENDED, AttendanceStatus.MISSED),
        session__cancelled_at__isnull=True,
        session__starts_at__gte=since,
    )
    found: defaultdict[UUID, list[HeldSession]] = defaultdict(list)
    for patient_id, starts_at, zone, known_at, status in rows.order_by(
        "session__starts_at", "session_id"
    ).values_list(
        "patient_id", "session__starts_at", "session__time_zone", "recorded_at", "status"
    ):
        on = starts_at.astimezone(ZoneInfo(zone)).date()
        found[patient_id].append(HeldSession(on, known_at, status))
    return dict(found)


def _with_attendance(rows: QuerySet[ProgramSession]) -> QuerySet[ProgramSession]:
    stands = Attendance.objects.filter(superseded_at__isnull=True)
    return rows.prefetch_related(
        Prefetch("attendance", stands.select_related("recorded_by__clinician"))
    )
