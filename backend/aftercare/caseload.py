"""Who needs someone first, and why: open alerts by due time, then missed sessions, then silence,
then the trend.

A fixed number of queries, whatever the number of patients.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from backend.accounts.models import Patient
from backend.aftercare.decision_rules import Severity
from backend.aftercare.explanations import explain_missed_sessions, explain_reasons, spoken_day
from backend.aftercare.looking_again import is_back
from backend.aftercare.missed_sessions import asks_for_outreach
from backend.aftercare.models import Alert
from backend.aftercare.selectors import open_alerts
from backend.aftercare.session_reads import missed_now
from backend.aftercare.texts import render
from backend.aftercare.trend_answers import explain_trend
from backend.tracking.models import TrendDirection
from backend.tracking.packing import Packed
from backend.tracking.selectors import Standing, standings

FAR = datetime.max.replace(tzinfo=UTC)
TREND_RANK = {
    TrendDirection.WORSENING: 0,
    TrendDirection.UNKNOWN: 1,
    TrendDirection.STEADY: 2,
    TrendDirection.IMPROVING: 3,
}


@dataclass(frozen=True, slots=True)
class CaseloadLine:
    """One patient's line. `days_silent` counts whole days since the last daily check-in's date.

    `silence` is what of it says something: none for one day, which every day is until its evening;
    for somebody who never checked in, the days since they enrolled. `missed` are the sessions
    missed in a row that still ask for outreach: it starts at the first one. `packed` is their
    packed window, if one counts.
    """

    patient: Patient
    alerts: Sequence[Alert]
    trend: str
    days_silent: int | None
    silence: int
    missed: Sequence[date]
    reason: str
    back: Sequence[Alert] = ()
    packed: Packed | None = None

    @property
    def open_alerts(self) -> int:
        return len(self.alerts)

    @property
    def worst_severity(self) -> str | None:
        return max(self.alerts, key=_severity).severity if self.alerts else None

    @property
    def unanswered(self) -> Sequence[Alert]:
        """Those that wait for somebody, in the order of their due times: nobody has acknowledged
        them, or their day has come to be looked at again."""
        return _waiting(self.alerts, self.back)

    @property
    def first_alert(self) -> Alert | None:
        """The one that puts the patient where they stand."""
        return leading(self.alerts, self.back)

    @property
    def due_at(self) -> datetime | None:
        """When the first alert that nobody acknowledged is due; None when each has been."""
        unseen = [alert for alert in self.alerts if alert.acknowledged_at is None]
        return min((alert.due_at for alert in unseen if alert.due_at), default=None)

    @property
    def rank(self) -> tuple[int, int, datetime, int, int, int, str]:
        """Alerts that wait for somebody first, the most severe leading, then the first due; then
        alerts without an outcome; then who missed more sessions; then the more silent; then the
        worse trend."""
        first = self.first_alert
        waiting = 0 if self.unanswered else 1
        return (
            waiting if first else 2,
            -_severity(first) if first else 0,
            (first.due_at if first else None) or FAR,
            -len(self.missed),
            -self.silence,
            TREND_RANK[TrendDirection(self.trend)],
            self.patient.given_name,
        )


def leading(alerts: Sequence[Alert], back: Sequence[Alert] = ()) -> Alert | None:
    """Of alerts in the order of their due times the most severe that waits for somebody, the first
    due among equals; once each has been acknowledged, the most severe of all. Those that are `back`
    wait again."""
    return max(_waiting(alerts, back) or alerts, key=_severity, default=None)


def _waiting(alerts: Sequence[Alert], back: Sequence[Alert]) -> list[Alert]:
    return [alert for alert in alerts if alert.acknowledged_at is None or alert in back]


def _severity(alert: Alert) -> int:
    return Severity(alert.severity).rank


def caseload(patients: QuerySet[Patient], *, language: str, now: datetime) -> list[CaseloadLine]:
    """A line for each of these patients, in the order in which they need someone."""
    people = list(patients.defer("created_at"))
    ids = [patient.pk for patient in people]
    alerts: defaultdict[UUID, list[Alert]] = defaultdict(list)
    for alert in open_alerts(ids).order_by("due_at"):
        alerts[alert.patient_id].append(alert)
    standing = standings(ids)
    missed = missed_now({patient.pk: patient.time_zone for patient in people}, now=now)
    todays = {zone: now.astimezone(ZoneInfo(zone)).date() for zone in {p.time_zone for p in people}}
    lines = [
        _line(
            patient,
            alerts[patient.pk],
            standing[patient.pk],
            missed.get(patient.pk, ()),
            language=language,
            today=todays[patient.time_zone],
            now=now,
        )
        for patient in people
    ]
    return sorted(lines, key=lambda line: line.rank)


def _line(
    patient: Patient,
    alerts: list[Alert],
    standing: Standing,
    missed: Sequence[date],
    *,
    language: str,
    today: date,
    now: datetime,
) -> CaseloadLine:
    missed = missed if asks_for_outreach(missed, on=today) else ()
    silent = max((today - standing.last_on).days, 0) if standing.last_on else None
    back = [one for one in alerts if is_back(one, today=today)]
    silence = max((today - (standing.last_on or _enrolled_on(patient) or today)).days, 0)
    return CaseloadLine(
        patient=patient,
        alerts=alerts,
        trend=standing.trend,
        days_silent=silent,
        silence=silence if silence > 1 else 0,
        missed=missed,
        reason=_reason(
            patient,
            alerts,
            back,
            standing,
            silent,
            missed,
            language=language,
            today=today,
            now=now,
        ),
        back=back,
        packed=standing.packed,
    )


def _enrolled_on(patient: Patient) -> date | None:
    if patient.enrolled_at is None:
        return None
    return patient.enrolled_at.astimezone(ZoneInfo(patient.time_zone)).date()


def _reason(
    patient: Patient,
    alerts: list[Alert],
    back: Sequence[Alert],
    standing: Standing,
    silent: int | None,
    missed: Sequence[date],
    *,
    language: str,
    today: date,
    now: datetime,
) -> str:
    first = leading(alerts, back)
    if first is not None:
        reason = explain_reasons(first.reasons, language=language, today=today)[0]
        if first.acknowledged_at is None or first.look_again_on is None or first not in back:
            return reason
        day = spoken_day(first.look_again_on, language=language, today=today)
        return render("caseload.look_again", language=language, day=day, reason=reason)
    if missed:
        return explain_missed_sessions(
            count=len(missed),
            last_on=missed[-1],
            silent_days=silent if silent is not None and silent > 1 else 0,
            language=language,
            today=today,
        )
    if silent is not None and silent > 1:
        return render("reason.absence", language=language, count=silent)
    return explain_trend(standing, patient, language=language, now=now)
