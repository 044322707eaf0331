"""The programme as a patient's page shows it: marks on the time axis, sessions, tests, outlook."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backend.aftercare.outlook_words import OutlookInWords, outlook_in_words
from backend.aftercare.texts import render as text
from backend.dashboard.charts import percent
from backend.dashboard.desk import Desk
from backend.dashboard.services import PatientRecord
from backend.dashboard.wording import clock_of, short_day
from backend.program.models import DrugTest, EpisodeOfCare, ProgramSession
from backend.program.selectors import standing

MOST_ROWS, MOST_TESTS = 6, 6
UNRECORDED = "unrecorded"
TELLING = frozenset({"missed", "positive", "refused"})
STATUSES = ("attended", "missed", "excused")
STATUS_WORDS: Mapping[str, Promise] = {
    "attended": gettext_lazy("came"),
    "missed": gettext_lazy("missed"),
    "excused": gettext_lazy("excused"),
    UNRECORDED: gettext_lazy("not recorded yet"),
    "cancelled": gettext_lazy("called off"),
}
KIND_WORDS: Mapping[str, Promise] = {
    "individual": gettext_lazy("Individual session"),
    "group": gettext_lazy("Group"),
    "family": gettext_lazy("Family session"),
    "education": gettext_lazy("Education"),
}
PHASE_WORDS: Mapping[str, Promise] = {
    "intensive_outpatient": gettext_lazy("Intensive outpatient"),
    "step_down": gettext_lazy("Step-down"),
    "aftercare": gettext_lazy("Aftercare"),
}
RESULT_WORDS: Mapping[str, Promise] = {
    "negative": gettext_lazy("negative"),
    "positive": gettext_lazy("positive"),
    "refused": gettext_lazy("refused"),
    "missed": gettext_lazy("not taken"),
}


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing on the axis: where, in per cent, which shape, and what it says."""

    at: str
    kind: str
    words: str
    day: date


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session with its form. `attendance_id` makes the form count once however often it is
    sent; `choices` are the statuses and their words, and whether one stands."""

    id: UUID
    patient_id: UUID
    day: str
    clock: str
    kind: str
    minutes: int
    status: str
    status_word: str
    recorded: str
    choices: list[tuple[str, str, bool]]
    attendance_id: UUID
    problem: str = ""

    @property
    def is_open(self) -> bool:
        """Whether something can be recorded of it."""
        return self.status != "cancelled"

    @property
    def is_recorded(self) -> bool:
        return self.status in STATUSES


@dataclass(frozen=True, slots=True)
class ResultRow:
    day: str
    result: str
    word: str
    found: str


@dataclass(frozen=True, slots=True)
class Programme:
    """`phase` and `coming` are sentences, empty where there is none. Newest rows first."""

    phase: str
    coming: str
    rows: list[SessionRow]
    results: list[ResultRow]
    outlook: list[OutlookInWords]
    outlook_note: str

    @property
    def is_empty(self) -> bool:
        return not (self.phase or self.coming or self.rows or self.results)


def show_programme(record: PatientRecord, desk: Desk) -> Programme:
    """What the patient attends, in the language of who reads it."""
    past = [row for row in record.sessions if row.starts_at <= desk.now]
    coming = [row for row in record.sessions if row.starts_at > desk.now and not row.cancelled_at]
    reading = record.outlook
    return Programme(
        phase=phase_words(record.episodes, record.today),
        coming=_coming(coming[0], record.today) if coming else "",
        rows=[show_session(row, desk) for row in reversed(past[-MOST_ROWS:])],
        results=[_result(row, record.today, desk) for row in record.drug_tests[:MOST_TESTS]],
        outlook=outlook_in_words(reading, language=desk.language) if reading else [],
        outlook_note=text("outlook.note", language=desk.language),
    )


def show_session(row: ProgramSession, desk: Desk, *, problem: str = "") -> SessionRow:
    """One session, on the clock of the programme."""
    today = desk.now.astimezone(ZoneInfo(row.time_zone)).date()
    stands, status = standing(row), status_of(row)
    clinician = getattr(stands.recorded_by, "clinician", None) if stands else None
    return SessionRow(
        id=row.pk,
        patient_id=row.patient_id,
        day=short_day(day_of(row), today=today),
        clock=clock_of(row.starts_at, row.time_zone),
        kind=str(KIND_WORDS[row.kind]),
        minutes=row.duration_minutes,
        status=status,
        status_word=str(STATUS_WORDS[status]),
        recorded=str(clinician.display_name) if clinician else "",
        choices=[(one, str(STATUS_WORDS[one]), one == status) for one in STATUSES],
        attendance_id=uuid4(),
        problem=problem,
    )


def day_of(row: ProgramSession) -> date:
    """Its date where the programme is."""
    return row.starts_at.astimezone(ZoneInfo(row.time_zone)).date()


def status_of(row: ProgramSession) -> str:
    """What stands of it: one of `STATUS_WORDS`."""
    stands = standing(row)
    if row.cancelled_at is not None:
        return "cancelled"
    return stands.status if stands else UNRECORDED


def session_marks(record: PatientRecord, days: int) -> list[Mark]:
    """Sessions of the days shown that took place or should have, in order."""
    return [
        Mark(
            at=percent((day_of(row) - record.first).days + 0.5, days),
            kind=status_of(row),
            words=f"{KIND_WORDS[row.kind]}, {STATUS_WORDS[status_of(row)]}",
            day=day_of(row),
        )
        for row in record.sessions
        if record.first <= day_of(row) <= record.last and not row.cancelled_at
    ]


def result_marks(record: PatientRecord, days: int) -> list[Mark]:
    """Tests of the days shown, in order."""
    return [
        Mark(
            at=percent((row.collected_on - record.first).days + 0.5, days),
            kind=row.result,
            words=str(RESULT_WORDS[row.result]),
            day=row.collected_on,
        )
        for row in reversed(record.drug_tests)
        if record.first <= row.collected_on <= record.last
    ]


def marks_summary(marks: Sequence[Mark], title: str, *, today: date) -> str:
    """All of them in words: how many of each kind, and the days of what was missed or positive."""
    if not marks:
        return _("%(title)s: none in these days") % {"title": title}
    parts = []
    for (words, kind), count in Counter((mark.words, mark.kind) for mark in marks).items():
        days = [short_day(mark.day, today=today) for mark in marks if mark.words == words]
        parts.append(f"{count} {words}" + (f" ({', '.join(days)})" if kind in TELLING else ""))
    return f"{title}: " + "; ".join(parts)


def phase_words(episodes: Sequence[EpisodeOfCare], today: date) -> str:
    """For example "Step-down, day 78 of the programme"; empty outside of an episode."""
    for episode in episodes:
        if episode.started_on > today or (episode.ended_on and episode.ended_on < today):
            continue
        phases = [phase for phase in episode.phases.all() if phase.started_on <= today]
        latest = max(phases, key=lambda phase: phase.started_on)
        return _("%(phase)s, day %(count)d of the programme") % {
            "phase": PHASE_WORDS[latest.kind],
            "count": (today - episode.started_on) // timedelta(days=1) + 1,
        }
    return ""


def _coming(row: ProgramSession, today: date) -> str:
    return _("Next: %(kind)s, %(day)s, %(clock)s") % {
        "kind": KIND_WORDS[row.kind],
        "day": short_day(day_of(row), today=today),
        "clock": clock_of(row.starts_at, row.time_zone),
    }


def _result(row: DrugTest, today: date, desk: Desk) -> ResultRow:
    found = [text(f"substance.{name}", language=desk.language) for name in row.positive_for]
    return ResultRow(
        day=short_day(row.collected_on, today=today),
        result=row.result,
        word=str(RESULT_WORDS[row.result]),
        found=", ".join(found),
    )
