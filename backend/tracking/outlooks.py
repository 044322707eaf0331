"""The outlook of one patient, from what the programme and the patient have recorded.

For clinicians alone, made anew at each reading and stored nowhere: no table, export, disclosure or
rule can come by it. It was fitted on opioid-treatment trials; see `trends/outlook.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from backend.accounts.models import Patient
from backend.program.models import AttendanceStatus, DrugTest, EpisodeOfCare
from backend.program.selectors import drug_tests_of, episodes_of, held_sessions
from backend.tracking.models import CheckIn
from backend.tracking.trends import Outcome, outlook
from backend.tracking.trends.outlook_features import DAYS_A_WEEK
from backend.tracking.trends.outlook_history import WEEKS, DatedTest, KnownHistory, known_history

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class OutlookReading:
    """What can be said as of `history.last_on`: `facts` as `Outlook.facts` gives them, one an
    outcome. Empty where no test was taken in the last four weeks, or nothing stands out."""

    history: KnownHistory
    facts: list[dict[str, Any]]


def read_outlook(patient: Patient, *, now: datetime) -> OutlookReading | None:
    """Of the week that ended yesterday, where the patient is; None for who is in no episode.

    The caller holds a patient that `access_patient` gave. Four queries.
    """
    zone = ZoneInfo(patient.time_zone)
    last_on = now.astimezone(zone).date() - ONE_DAY
    episodes = [row for row in episodes_of(patient.pk) if row.started_on <= last_on]
    if not episodes or _has_ended(episodes[0], last_on):
        return None
    first_on = last_on - (WEEKS * DAYS_A_WEEK - 1) * ONE_DAY
    since = datetime.combine(first_on, time(), zone)
    history = known_history(
        first_on=max(first_on, min(row.started_on for row in episodes)),
        last_on=last_on,
        tests=[_dated_test(row) for row in drug_tests_of(patient.pk)],
        sessions=_days_held(patient.pk, since=since),
        use=_days_of_use(patient.pk, episodes[0]),
        treated=frozenset(episodes[0].treated_substances),
    )
    weeks = {Outcome.USE_NEXT_WEEK: history.by_tests, Outcome.GONE_FOUR_WEEKS: history.by_visits}
    found = [outlook(weeks[outcome], outcome).facts(0) for outcome in Outcome]
    return OutlookReading(history, [facts for facts in found if facts and history.is_recent])


def _has_ended(episode: EpisodeOfCare, day: date) -> bool:
    return episode.ended_on is not None and episode.ended_on < day


def _dated_test(row: DrugTest) -> DatedTest:
    return DatedTest(row.collected_on, row.result, frozenset(row.positive_for))


def _days_held(patient_id: UUID, *, since: datetime) -> Mapping[date, bool]:
    days: dict[date, bool] = {}
    for session in held_sessions([patient_id], since=since).get(patient_id, ()):
        came = session.status == AttendanceStatus.ATTENDED
        days[session.on] = days.get(session.on, False) or came
    return days


def _days_of_use(patient_id: UUID, episode: EpisodeOfCare) -> set[date]:
    """Days of reported use of what is treated, or of use without a name."""
    treated = set(episode.treated_substances)
    rows = CheckIn.objects.filter(
        patient_id=patient_id, use_reported=True, withdrawn_at__isnull=True
    ).values_list("use_on", "local_date", "use_substances")
    return {
        use_on or local_date
        for use_on, local_date, named in rows
        if not treated or not named or not treated.isdisjoint(named)
    }
