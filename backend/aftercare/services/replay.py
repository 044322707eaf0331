"""Any rule set over what was recorded, as of each day. Reads; touches nothing of the present."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
from django.db.models import Max

from backend.accounts import audit
from backend.accounts.access import access_patient, visible_patients
from backend.accounts.actor import Actor
from backend.accounts.models import Organisation, Patient
from backend.aftercare.decision_rules import Match, RecentFacts, match_acute_rules
from backend.aftercare.episodes import Day
from backend.aftercare.missed_sessions import LOOK_BACK, Held, missed_run
from backend.aftercare.replaying import Happening, LivedDay, RuleSet, Total, replay, totals
from backend.aftercare.services.alerts import choose_condition
from backend.aftercare.services.assessments import days_of
from backend.aftercare.services.responses import acute_facts
from backend.aftercare.session_reads import held_by
from backend.tracking.judging import judge
from backend.tracking.models import CheckIn, CheckInKind
from backend.tracking.sweeping import rows_of
from backend.tracking.trends import Tier, absence
from backend.tracking.windows import WINDOW_DAYS, load_windows, sliding

DAYS = 90
LONGEST_DAYS = 366
ONE_DAY = timedelta(days=1)
ACUTE_FIELDS = (
    "id", "patient_id", "kind", "local_date", "recorded_at", "received_at", "not_safe", "mood",
    "craving", "confidence", "sleep_hours", "use_reported", "use_substances",
    "withdrawal_reported", "withdrawal_substances", "withdrawal_symptoms",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Replayed:
    """What would have been said between two days, to how many people on how many days."""

    first_on: date
    last_on: date
    people: int
    patient_days: int
    ruleset: str
    said: Sequence[Happening]

    @property
    def totals(self) -> list[Total]:
        return totals(self.said, patient_days=self.patient_days)


def replay_patient(
    *, actor: Actor, patient_id: UUID, rules: RuleSet, days: int = DAYS, now: datetime
) -> Replayed:
    """One patient's last days. Raises `NotFound`."""
    patient = access_patient(actor, patient_id, reading=True)
    audit.record(actor=actor, action="replay.read", patient_id=patient.pk, facts={"days": days})
    return replay_days(patient, rules, days=days, now=now)


def replay_caseload(*, actor: Actor, rules: RuleSet, days: int = DAYS, now: datetime) -> Replayed:
    """Everyone whom the actor may see and who is still in care, as one load."""
    patients = visible_patients(actor).filter(discharged_at__isnull=True)
    return _replay_all(actor, patients, rules, days=days, now=now)


def replay_organisation(
    *, actor: Actor, organisation: Organisation, rules: RuleSet, days: int = DAYS, now: datetime
) -> Replayed:
    """Everyone of an organisation who is still in care, as one load."""
    patients = visible_patients(actor).filter(organisation=organisation, discharged_at__isnull=True)
    return _replay_all(actor, patients, rules, days=days, now=now)


def _replay_all(
    actor: Actor, patients: Iterable[Patient], rules: RuleSet, *, days: int, now: datetime
) -> Replayed:
    people = list(patients)
    found = [replay_days(patient, rules, days=days, now=now) for patient in people]
    audit.record_shown(
        actor=actor,
        action="replay.read",
        patient_ids=[patient.pk for patient in people],
        facts={"days": days},
    )
    return together(found, days=days, now=now)


def together(found: Sequence[Replayed], *, days: int, now: datetime) -> Replayed:
    """Many people's as one."""
    today = now.date()
    return Replayed(
        first_on=min((each.first_on for each in found), default=today - (days - 1) * ONE_DAY),
        last_on=max((each.last_on for each in found), default=today),
        people=len(found),
        patient_days=sum(each.patient_days for each in found),
        ruleset=", ".join(sorted({each.ruleset for each in found})),
        said=[happening for each in found for happening in each.said],
    )


def replay_days(patient: Patient, rules: RuleSet, *, days: int, now: datetime) -> Replayed:
    """Six queries, whatever the number of days."""
    last = now.astimezone(ZoneInfo(patient.time_zone)).date()
    first = max(last - (days - 1) * ONE_DAY, _enrolled_on(patient) or date.min)
    first = min(first, last)
    length = (last - first).days + 1
    history = _History.load(patient, first, last)
    trends, ruleset = _trends(patient, rules, history, length)
    silent = _absences(patient, rules, history, length)
    acute = history.acute(rules)
    enrolled = _enrolled_on(patient)
    never = enrolled - ONE_DAY if enrolled else None
    lived = [
        LivedDay(
            on=on,
            trend=trends.get(on),
            acute=tuple(acute.get(on, ())),
            answered_on=history.answered_by(on) or never,
            is_absent=silent[index],
            missed=missed_run(history.held, by=on),
            is_over=on < last,
        )
        for index, on in enumerate(_every(first, last))
    ]
    said = replay(lived, choose=choose_condition)
    return Replayed(first, last, 1, length, ruleset, said)


@dataclass(frozen=True, slots=True)
class _History:
    """The check-ins of these days and of the day before, in the order in which they were made,
    and the sessions that were held."""

    first: date
    last: date
    rows: Sequence[CheckIn]
    answered: Sequence[date]
    held: Sequence[Held]
    last_use_before: date | None

    @classmethod
    def load(cls, patient: Patient, first: date, last: date) -> _History:
        rows = CheckIn.objects.filter(patient=patient, withdrawn_at__isnull=True)
        shown = rows.filter(local_date__range=(first - ONE_DAY, last)).only(*ACUTE_FIELDS)
        answered = rows.filter(
            kind=CheckInKind.DAILY, local_date__range=(first - WINDOW_DAYS * ONE_DAY, last)
        )
        days = answered.order_by("local_date").values_list("local_date", flat=True).distinct()
        earlier = rows.filter(use_reported=True, local_date__lt=first).aggregate(
            last=Max("local_date")
        )
        ordered = shown.order_by("local_date", "recorded_at", "received_at")
        zone = ZoneInfo(patient.time_zone)
        since = datetime.combine(first - LOOK_BACK - ONE_DAY, time(), zone)
        held = held_by({patient.pk: zone.key}, since=since).get(patient.pk, ())
        return cls(first, last, list(ordered), list(days), held, earlier["last"])

    def answered_by(self, on: date) -> date | None:
        """The last day up to this one with a daily check-in."""
        place = bisect_right(self.answered, on)
        return self.answered[place - 1] if place else None

    def acute(self, rules: RuleSet) -> Mapping[date, list[tuple[Match, ...]]]:
        """The matches of each check-in, judged by that day and those before it alone."""
        found: defaultdict[date, list[tuple[Match, ...]]] = defaultdict(list)
        daily = {row.local_date: row for row in self.rows if row.kind == CheckInKind.DAILY}
        last_use, latest_use = self.last_use_before, self.last_use_before
        on: date | None = None
        for row in self.rows:
            if row.local_date != on:
                on, last_use = row.local_date, latest_use
            if row.local_date >= self.first:
                recent = _recent(daily.get(row.local_date - ONE_DAY), last_use)
                matches = match_acute_rules(
                    acute_facts(row), recent, on=row.local_date, thresholds=rules.thresholds
                )
                if matches:
                    found[row.local_date].append(matches)
            if row.use_reported:
                latest_use = row.local_date
        return found


def _recent(before: CheckIn | None, last_use: date | None) -> RecentFacts:
    mood = before.mood if before else None
    sleep = before.sleep_hours if before else None
    return RecentFacts(
        nearby_moods=() if mood is None else (mood,),
        nearby_sleep_hours=() if sleep is None else (float(sleep),),
        last_use_on=last_use,
    )


def _trends(
    patient: Patient, rules: RuleSet, history: _History, length: int
) -> tuple[dict[date, Day], str]:
    """What each day with a daily check-in would have been judged; nothing is judged on others."""
    loaded = load_windows({patient.pk: history.last}, days=length + WINDOW_DAYS - 1)
    windows, answered = sliding(loaded), set(history.answered)
    wanted = [row for row, on in enumerate(windows.as_of) if on >= history.first and on in answered]
    if not wanted:
        return {}, ""
    targets = {Tier.NUDGE: rules.nudges_per_month, Tier.FLAG: rules.flags_per_month}
    judged = judge(rows_of(windows, wanted), targets=targets, look_back=0)
    return {day.on: day for day in days_of(judged)}, judged.ruleset(0)


def _absences(patient: Patient, rules: RuleSet, history: _History, length: int) -> Sequence[bool]:
    """Whether the silence up to the end of each day is long for this person."""
    start = history.first - (WINDOW_DAYS - 1) * ONE_DAY
    answered = np.zeros(length + WINDOW_DAYS - 1, dtype=bool)
    for on in history.answered:
        if on >= start:
            answered[(on - start).days] = True
    windows = np.lib.stride_tricks.sliding_window_view(answered, WINDOW_DAYS)
    enrolled = _enrolled_on(patient)
    asked = [
        (on - enrolled).days + 1 if enrolled else WINDOW_DAYS
        for on in _every(history.first, history.last)
    ]
    found = absence(
        windows, enrolled_days=np.array(asked, dtype=np.int64), limit=rules.surprise_limit
    )
    # The last day is not over: whoever has not answered yet may still do so.
    return [*(bool(flag) for flag in found.flagged[:-1]), False]


def _every(first: date, last: date) -> Iterable[date]:
    return (first + index * ONE_DAY for index in range((last - first).days + 1))


def _enrolled_on(patient: Patient) -> date | None:
    at = patient.enrolled_at
    return at.astimezone(ZoneInfo(patient.time_zone)).date() if at else None
