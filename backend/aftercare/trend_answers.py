"""A patient's trend with its sentence, for an answer or a page."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from backend.accounts.models import Patient
from backend.aftercare.explanations import explain_worsening
from backend.aftercare.texts import render
from backend.tracking.models import Assessment, TrendDirection
from backend.tracking.selectors import Standing, latest_assessment
from backend.tracking.shapes import TrendAnswer, show_trend

STALE_DAYS = 7


def explain_trend(
    assessment: Assessment | Standing | None, patient: Patient, *, language: str, now: datetime
) -> str:
    """One sentence: what changed since when, or why nothing can be said yet."""
    if assessment is None or assessment.trend == TrendDirection.UNKNOWN:
        return render("trend.unknown", language=language)
    if assessment.trend != TrendDirection.WORSENING:
        return render(f"trend.{assessment.trend}", language=language)
    facts = assessment.facts
    reasons = [signal for signal in facts["signals"] if signal["reason"]]
    return explain_worsening(
        {"began_on": facts["began_on"], "signals": reasons},
        language=language,
        today=now.astimezone(ZoneInfo(patient.time_zone)).date(),
    )


def trend_answer(patient: Patient, *, language: str, now: datetime) -> TrendAnswer:
    """The latest assessment as the API shows it; of who has long been silent, that alone."""
    assessment = latest_assessment(patient.pk)
    silent = _days_silent(assessment, patient, now=now)
    if silent >= STALE_DAYS:
        sentence = render("reason.absence", language=language, count=silent)
    else:
        sentence = explain_trend(assessment, patient, language=language, now=now)
    answer = show_trend(assessment, explanation=sentence)
    answer.trend = trend_now(answer.trend, silent)
    return answer


def trend_now(trend: str, days_silent: int | None) -> str:
    """A trend is of the days around its last answer, and nobody's trend a week later."""
    is_stale = days_silent is not None and days_silent >= STALE_DAYS
    return TrendDirection.UNKNOWN.value if is_stale else trend


def _days_silent(assessment: Assessment | None, patient: Patient, *, now: datetime) -> int:
    today = now.astimezone(ZoneInfo(patient.time_zone)).date()
    return (today - assessment.as_of_on).days if assessment else 0
