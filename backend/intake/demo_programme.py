"""The programme that some of the demo's people attend. Only for development."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from backend.accounts.actor import Actor
from backend.accounts.models import Patient
from backend.intake.cohort import Story
from backend.program import services
from backend.program.models import ProgramSession

WEEKS = 11
STEP_DOWN_WEEKS = 3
EVENING = time(18, 0)
DAY, TUESDAY = timedelta(days=1), 1
ATTENDING = (Story.STEADY, Story.IN_TROUBLE, Story.LAPSING, Story.SILENT)
# Weeks ago, for each story: missed, excused, tested positive. The rest came, and tested negative.
MISSED = {Story.SILENT: (0, 1), Story.LAPSING: (3,), Story.IN_TROUBLE: (6,)}
EXCUSED = {Story.STEADY: (4,), Story.IN_TROUBLE: (2,)}
POSITIVE = {Story.LAPSING: (0, 2, 9), Story.IN_TROUBLE: (1, 8, 9)}


def seed_programme(patient: Patient, story: Story, *, actor: Actor, now: datetime) -> None:
    """Eleven weeks of it: a group a week with who came, a test a week, and the weeks to come.

    The last session is left for somebody to record, except of whom nobody has seen.
    """
    zone = ZoneInfo(patient.organisation.time_zone)
    today = now.astimezone(zone).date()
    began = today - timedelta(weeks=WEEKS)
    episode = services.start_episode(
        actor=actor,
        patient_id=patient.pk,
        episode_id=_id(patient, "episode"),
        started_on=began,
        phase="intensive_outpatient",
        treated_substances=["opioids"],
        now=now,
    ).row
    services.start_phase(
        actor=actor,
        patient_id=patient.pk,
        episode_id=episode.pk,
        phase_id=_id(patient, "step_down"),
        kind="step_down",
        started_on=today - timedelta(weeks=STEP_DOWN_WEEKS),
        now=now,
    )
    series = services.plan_series(
        actor=actor,
        patient_id=patient.pk,
        series_id=_id(patient, "group"),
        kind="group",
        first_on=began + (TUESDAY - began.weekday()) % 7 * DAY,
        at=EVENING,
        duration_minutes=180,
        rule=f"FREQ=WEEKLY;COUNT={WEEKS + 3}",
        now=now,
    ).row
    held = series.sessions.filter(starts_at__lt=now).order_by("-starts_at")
    for weeks_ago, session in enumerate(held):
        if weeks_ago or story is Story.SILENT:
            _record(session, story, weeks_ago, actor=actor, now=now)
    for weeks_ago in range(WEEKS - 1):
        _test(patient, story, weeks_ago, today, actor=actor, now=now)


def _record(
    session: ProgramSession, story: Story, weeks_ago: int, *, actor: Actor, now: datetime
) -> None:
    status = "attended"
    if weeks_ago in MISSED.get(story, ()):
        status = "missed"
    elif weeks_ago in EXCUSED.get(story, ()):
        status = "excused"
    services.record_attendance(
        actor=actor,
        patient_id=session.patient_id,
        session_id=session.pk,
        attendance_id=uuid5(session.pk, "attendance"),
        status=status,
        now=min(session.starts_at + timedelta(hours=4), now),
    )


def _test(
    patient: Patient, story: Story, weeks_ago: int, today: date, *, actor: Actor, now: datetime
) -> None:
    is_positive = weeks_ago in POSITIVE.get(story, ())
    is_missed = weeks_ago in MISSED.get(story, ())
    services.record_drug_test(
        actor=actor,
        patient_id=patient.pk,
        test_id=_id(patient, f"test {weeks_ago}"),
        collected_on=today - timedelta(weeks=weeks_ago) - 3 * DAY,
        result="positive" if is_positive else "missed" if is_missed else "negative",
        positive_for=["opioids"] if is_positive else [],
        now=now,
    )


def _id(patient: Patient, what: str) -> UUID:
    return uuid5(patient.pk, what)
