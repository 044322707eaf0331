"""The caseload as the ORM's tutorial leads to it: a loop over the patients, asking for each.

Every query is filtered, ordered and answered from an index; nothing is slow on purpose. Sentences
come from the same functions as ours, because words are not what is compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from backend.accounts.models import CareTeamMember, Clinician, Patient
from backend.aftercare.explanations import explain_missed_sessions, explain_reasons
from backend.aftercare.models import Alert
from backend.aftercare.texts import render
from backend.aftercare.trend_answers import explain_trend
from backend.tracking.models import Assessment, CheckIn

SIGNALS = ("mood", "craving", "sleep_hours", "exercise_minutes", "confidence")
SEVERITIES = ("medium", "high", "critical")
TRENDS = ("worsening", "unknown", "steady", "improving")
FAR = datetime.max.replace(tzinfo=UTC)


@dataclass
class Line:
    """One patient with what the page shows of them."""

    patient: Patient
    trend: str
    open_alerts: int
    first_alert: Alert | None
    worst_severity: str | None
    due_at: datetime | None
    days_silent: int | None
    missed: list[date]
    reason: str
    values: dict[str, list[float | None]]


def caseload_page(
    clinician: Clinician, *, language: str, now: datetime, days: int = 30
) -> list[Line]:
    """A line for each patient, who needs someone first on top."""
    lines = []
    for member in CareTeamMember.objects.filter(clinician=clinician, ended_on=None):
        if member.patient.discharged_at is None:
            lines.append(_line(member.patient, language, now, days))
    return sorted(lines, key=_rank)


def _line(patient: Patient, language: str, now: datetime, days: int) -> Line:
    today = now.astimezone(ZoneInfo(patient.time_zone)).date()
    alerts = list(patient.alerts.exclude(status="resolved").order_by("due_at"))
    assessment = patient.assessments.order_by("-as_of_on", "-assessed_at").first()
    latest = (
        patient.check_ins.filter(kind="daily", withdrawn_at=None).order_by("-local_date").first()
    )
    silent = max((today - latest.local_date).days, 0) if latest else None
    missed = _missed(patient, today, now)
    due = [a.due_at for a in alerts if a.due_at and not a.acknowledged_at]
    return Line(
        patient=patient,
        trend=assessment.trend if assessment else "unknown",
        open_alerts=len(alerts),
        first_alert=_leading(alerts),
        worst_severity=max((a.severity for a in alerts), key=SEVERITIES.index, default=None),
        due_at=min(due) if due else None,
        days_silent=silent,
        missed=missed,
        reason=_reason(patient, alerts, assessment, silent, missed, language, now),
        values=_values(patient, latest.local_date, today, days) if latest else {},
    )


def _missed(patient: Patient, today: date, now: datetime) -> list[date]:
    """Sessions missed since the last attended one, while they still ask for outreach."""
    missed: list[date] = []
    for session in patient.sessions.filter(
        cancelled_at=None, starts_at__gte=now - timedelta(days=61), starts_at__lte=now
    ).order_by("starts_at", "id"):
        on = session.starts_at.astimezone(ZoneInfo(session.time_zone)).date()
        recorded = session.attendance.filter(superseded_at=None).first()
        if recorded and recorded.status == "attended":
            missed = []
        elif recorded and recorded.status == "missed" and on >= today - timedelta(days=60):
            missed.append(on)
    return missed if missed and today - missed[-1] <= timedelta(days=28) else []


def _values(
    patient: Patient, last_day: date, today: date, days: int
) -> dict[str, list[float | None]]:
    """Each signal's last days; who has long been silent is shown up to the last one recorded."""
    end = today if (today - last_day).days < days else last_day
    recent = patient.check_ins.filter(
        kind="daily",
        withdrawn_at=None,
        local_date__gt=end - timedelta(days=days),
        local_date__lte=end,
    ).order_by("local_date", "recorded_at", "received_at")
    values: dict[str, list[float | None]] = {name: [None] * days for name in SIGNALS}
    for check_in in recent:
        column = days - 1 - (end - check_in.local_date).days
        for name in SIGNALS:
            values[name][column] = _number(check_in, name)
    return values


def _number(check_in: CheckIn, name: str) -> float | None:
    value = getattr(check_in, name)
    return None if value is None else float(value)


def _leading(alerts: list[Alert]) -> Alert | None:
    """The most severe that waits for somebody; once all are acknowledged, the most severe."""
    waiting = [alert for alert in alerts if not alert.acknowledged_at]
    return max(waiting or alerts, key=lambda a: SEVERITIES.index(a.severity), default=None)


def _reason(
    patient: Patient,
    alerts: list[Alert],
    assessment: Assessment | None,
    silent: int | None,
    missed: list[date],
    language: str,
    now: datetime,
) -> str:
    first = _leading(alerts)
    today = now.astimezone(ZoneInfo(patient.time_zone)).date()
    if first is not None:
        return explain_reasons(first.reasons, language=language, today=today)[0]
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
    return explain_trend(assessment, patient, language=language, now=now)


def _rank(line: Line) -> tuple[object, ...]:
    first = line.first_alert
    waiting = 0 if first and not first.acknowledged_at else 1
    silent = line.days_silent or 0
    return (
        waiting if first else 2,
        -SEVERITIES.index(first.severity) if first else 0,
        (first.due_at if first else None) or FAR,
        -len(line.missed),
        -silent if silent > 1 else 0,
        TRENDS.index(line.trend),
        line.patient.given_name,
    )
