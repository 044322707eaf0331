"""Everyone, every few hours: judged again where the rules have changed, missed where silent."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import structlog
from django.db import transaction
from numpy.typing import NDArray

from backend.accounts import audit
from backend.accounts.actor import Actor
from backend.accounts.models import Patient
from backend.aftercare.models import Alert, AlertStatus, Condition
from backend.aftercare.services.absences import Absence, follow_absence
from backend.aftercare.services.assessments import decide
from backend.aftercare.session_reads import missed_between
from backend.tracking.adopted_limits import limits_in_use
from backend.tracking.everyone import NEVER, People, people_of
from backend.tracking.judging import judge
from backend.tracking.packing_rows import pack_windows, read_and_pack
from backend.tracking.sweeping import (
    answered_until,
    claim_range,
    ends_of,
    finish_range,
    given_in,
    rows_of,
)
from backend.tracking.trends import absence as long_absence
from backend.tracking.windows import WINDOW_DAYS, Windows

logger = structlog.get_logger(__name__)
ACTOR = Actor.system("sweep_due")
# A turn ends in time for the worker's own limit; what is left is due for the next one.
TURN_S = 20.0
# Bounds the memory of a turn, however many patients there are.
CHUNK_PEOPLE = 2_000


def sweep_due(*, now: datetime) -> int:
    """Takes up ranges of patients until none is due or the turn is over; returns how many.

    Any number of copies share the ranges. One patient that fails is logged and passed over.
    """
    began, taken = time.monotonic(), 0
    while time.monotonic() - began < TURN_S:
        number = claim_range(now=now)
        if number is None:
            break
        first, last = ends_of(number)
        sweep_range(first, last, now=now)
        finish_range(number, now=now)
        taken += 1
    return taken


def sweep_range(first: UUID, last: UUID, *, now: datetime) -> int:
    """Judges every monitored patient whose id lies in the range; returns how many."""
    taken = 0
    while people := _sweep(first, last, now=now):
        taken += len(people)
        if len(people) < CHUNK_PEOPLE or people.ids[-1] == last:
            break
        first = UUID(int=people.ids[-1].int + 1)
    return taken


def _sweep(first: UUID, last: UUID, *, now: datetime) -> People:
    with transaction.atomic():
        people = people_of(first, last, limit=CHUNK_PEOPLE)
        if not people:
            return people
        # One row whatever the number of people: everyone in care from the first id to the last.
        audit.record(
            actor=ACTOR,
            action="check_ins.sweep",
            facts={
                "count": len(people),
                "from": str(people.ids[0]),
                "to": str(people.ids[-1]),
            },
        )
    limits = limits_in_use(set(people.organisations))
    rulesets = [limits[home].ruleset for home in people.organisations]
    _judge_kept(people, rulesets, now=now)
    answers = _answers(people)
    _judge_others(people, rulesets, answers, now=now)
    _follow_absences(people, answers, now=now)
    return people


@dataclass(slots=True)
class _Answers:
    """Of each row of the people the day of the last daily check-in, as an ordinal (NEVER: none),
    and on which of the days up to it a rating came."""

    last_on: NDArray[np.int64]
    given: NDArray[np.bool_]

    def put(self, rows: Sequence[int], windows: Windows) -> None:
        self.last_on[rows] = [day.toordinal() for day in windows.as_of]
        self.given[rows] = given_in(windows)


def _answers(people: People) -> _Answers:
    """From the packed windows alone."""
    last_on = np.full(len(people), NEVER)
    last_on[people.packed] = people.last_on[people.packed]
    given = np.zeros((len(people), WINDOW_DAYS), dtype=bool)
    given[people.packed] = (people.codes >= 0).any(axis=1)
    return _Answers(last_on, given)


def _judge_kept(people: People, rulesets: Sequence[str], *, now: datetime) -> None:
    """Whose days are as they were judged, but no longer the rules."""
    kept = people.packed.tolist()
    if changed := [row for row in kept if people.rulesets[row] != rulesets[row]]:
        _judge_again(people.windows(changed), now=now)
        pack_windows([people.ids[row] for row in changed])


def _judge_others(
    people: People, rulesets: Sequence[str], answers: _Answers, *, now: datetime
) -> None:
    """Whose days are read from their rows: no packed window counts, or there is none yet."""
    if len(people.packed) == len(people):
        return
    row_of = {patient_id: row for row, patient_id in enumerate(people.ids)}
    for read in read_and_pack(people.others()):
        rows = [row_of[patient_id] for patient_id in read.windows.patient_ids]
        answers.put(rows, read.windows)
        by = enumerate(zip(rows, read.rulesets, strict=True))
        changed = [place for place, (row, ruleset) in by if ruleset != rulesets[row]]
        if changed:
            again = rows_of(read.windows, changed)
            _judge_again(again, now=now)
            pack_windows(again.patient_ids)


def _judge_again(windows: Windows, *, now: datetime) -> None:
    """Whose days or rules are no longer those of the latest assessment; for most they are."""
    judged = judge(windows)
    for row, patient_id in enumerate(judged.windows.patient_ids):
        try:
            with transaction.atomic():
                decide(patient_id, judged, row, now=now)
        except Exception as error:
            logger.error("assessment_failed", patient_id=str(patient_id), exc_info=error)


def _follow_absences(people: People, answers: _Answers, *, now: datetime) -> None:
    today = {zone: now.astimezone(ZoneInfo(zone)).toordinal() for zone in set(people.zones)}
    until = np.array([today[zone] - 1 for zone in people.zones])
    enrolled = people.enrolled_on(until)
    answered = np.flatnonzero(answers.last_on != NEVER)
    silence = until[answered] - answers.last_on[answered]
    found = long_absence(
        answered_until(answers.given[answered], silence),
        enrolled_days=(until - enrolled + 1)[answered],
    )
    silent = set(answered[found.flagged].tolist())
    row_of = {patient_id: row for row, patient_id in enumerate(people.ids)}
    ends = people.ids[0], people.ids[-1]
    missed = missed_between(*ends, zones=dict(zip(people.ids, people.zones, strict=True)), now=now)
    standing = set(
        Alert.objects.filter(
            condition=Condition.ABSENCE, patient_id__gte=ends[0], patient_id__lte=ends[1]
        )
        .exclude(status=AlertStatus.RESOLVED)
        .values_list("patient_id", flat=True)
    )
    concerned = silent | {row_of[one] for one in (missed.keys() | standing) & row_of.keys()}
    for row in sorted(concerned):
        patient_id = people.ids[row]
        if answers.last_on[row] != NEVER:
            answered_on = int(answers.last_on[row])
        elif enrolled[row] != NEVER:  # never yet: silent from the first day they were asked
            answered_on = people.enrolled_on_exactly(row) - 1
        else:
            continue
        absence = Absence(
            answered_on=date.fromordinal(answered_on),
            until=date.fromordinal(int(until[row])),
            is_long=row in silent,
            missed=missed.get(patient_id, ()),
        )
        if absence.takes_a_flag or patient_id in standing:
            _follow(patient_id, absence, now=now)


def _follow(patient_id: UUID, absence: Absence, *, now: datetime) -> None:
    with transaction.atomic():
        patient = (
            Patient.objects.select_related("organisation", "user")
            .select_for_update(of=("self",), no_key=True)
            .get(pk=patient_id)
        )
        if patient.is_monitored:  # may have changed since the range was read
            follow_absence(actor=ACTOR, patient=patient, absence=absence, now=now)
