"""Attendance and episodes from twenty threads at once: one row stands, whatever is sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from backend.program.models import Attendance, EpisodeOfCare, ProgramSession
from tests.people import People
from tests.phones import Phone
from tests.program.attending import in_programme, planned
from tests.races.sending import THREADS, statuses, twenty, twin

pytestmark = pytest.mark.usefixtures("committed_db")
NOW = datetime.now(UTC)


@pytest.fixture
def therapist(people: People) -> Phone:
    return Phone.of(people.therapist.user)


@pytest.fixture
def session(people: People) -> ProgramSession:
    in_programme(people.patient, now=NOW)
    return planned(people.patient, NOW - timedelta(hours=1), now=NOW)


def path(session: ProgramSession) -> str:
    return f"/patients/{session.patient_id}/sessions/{session.pk}/attendance"


def test_the_same_is_recorded_once(therapist: Phone, session: ProgramSession) -> None:
    sent = {"id": str(uuid4()), "status": "missed"}
    answers = twenty(lambda _: twin(therapist).post(path(session), sent))
    assert statuses(answers) == {201: 1, 200: THREADS - 1}
    assert Attendance.objects.count() == 1


def test_of_many_corrections_one_stands(therapist: Phone, session: ProgramSession) -> None:
    def correct(number: int) -> Any:
        status = ("attended", "missed", "excused")[number % 3]
        return twin(therapist).post(path(session), {"id": str(uuid4()), "status": status})

    assert statuses(twenty(correct)) == {201: THREADS}
    assert Attendance.objects.count() == THREADS
    assert Attendance.objects.filter(superseded_at=None).count() == 1


def test_a_session_is_moved_to_one_time(therapist: Phone, session: ProgramSession) -> None:
    move = path(session).replace("/attendance", "/move")

    def to(number: int) -> Any:
        starts_at = NOW + timedelta(days=2, minutes=number)
        return twin(therapist).post(move, {"id": str(uuid4()), "starts_at": starts_at.isoformat()})

    assert statuses(twenty(to)) == {201: 1, 409: THREADS - 1}
    assert ProgramSession.objects.filter(cancelled_at=None).count() == 1


def test_one_episode_is_open(therapist: Phone, people: People) -> None:
    def begin(_number: int) -> Any:
        sent = {"id": str(uuid4()), "started_on": "2026-01-05", "phase": "step_down"}
        return twin(therapist).post(f"/patients/{people.patient.pk}/episodes", sent)

    assert statuses(twenty(begin)) == {201: 1, 409: THREADS - 1}
    assert EpisodeOfCare.objects.count() == 1
