"""A patient who attends a programme: an episode, sessions kept and missed, a test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import uuid4

from backend.accounts.actor import Actor
from backend.accounts.models import Patient
from backend.program import services
from backend.program.models import Attendance, DrugTest, EpisodeOfCare, ProgramSession

ACTOR = Actor.system("test")


@dataclass(frozen=True)
class Treatment:
    """What `attend` made. `coming` is a session of next week."""

    episode: EpisodeOfCare
    session: ProgramSession
    coming: ProgramSession
    test: DrugTest


def attend(patient: Patient, *, now: datetime, actor: Actor = ACTOR) -> Treatment:
    """In the programme for a month: attended yesterday, tested two days ago."""
    episode = in_programme(patient, now=now)
    session = planned(patient, now - timedelta(days=1), now=now)
    recorded(session, "attended", now=now, actor=actor)
    test = services.record_drug_test(
        actor=actor,
        patient_id=patient.pk,
        test_id=uuid4(),
        collected_on=(now - timedelta(days=2)).date(),
        result="positive",
        positive_for=["stimulants"],
        now=now,
    ).row
    coming = planned(patient, now + timedelta(days=7), now=now)
    return Treatment(episode=episode, session=session, coming=coming, test=test)


def in_programme(
    patient: Patient,
    *,
    now: datetime,
    days: int = 30,
    phase: str = "intensive_outpatient",
    treated: Sequence[str] = ("opioids",),
) -> EpisodeOfCare:
    return services.start_episode(
        actor=ACTOR,
        patient_id=patient.pk,
        episode_id=uuid4(),
        started_on=(now - timedelta(days=days)).date(),
        phase=phase,
        treated_substances=treated,
        now=now,
    ).row


def planned(
    patient: Patient, starts_at: datetime, *, now: datetime, kind: str = "group"
) -> ProgramSession:
    return services.plan_session(
        actor=ACTOR,
        patient_id=patient.pk,
        session_id=uuid4(),
        kind=kind,
        starts_at=starts_at,
        duration_minutes=180,
        now=now,
    ).row


def recorded(
    session: ProgramSession, status: str, *, now: datetime, actor: Actor = ACTOR
) -> Attendance:
    services.record_attendance(
        actor=actor,
        patient_id=session.patient_id,
        session_id=session.pk,
        attendance_id=uuid4(),
        status=status,
        now=now,
    )
    return Attendance.objects.get(session=session, superseded_at=None)


def kept(patient: Patient, starts_at: datetime, status: str, *, at: datetime) -> ProgramSession:
    """A session of that moment, and what was recorded of it at another."""
    session = planned(patient, starts_at, now=at)
    recorded(session, status, now=at)
    return session


def took_test(
    patient: Patient, on: date, result: str, *, now: datetime, positive_for: Sequence[str] = ()
) -> DrugTest:
    return services.record_drug_test(
        actor=ACTOR,
        patient_id=patient.pk,
        test_id=uuid4(),
        collected_on=on,
        result=result,
        positive_for=positive_for,
        now=now,
    ).row
