"""One patient: the chart, the alerts, the check-ins."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from backend.aftercare.texts import render as text
from backend.aftercare.trend_answers import explain_trend, trend_now
from backend.dashboard import series
from backend.dashboard.alert_cards import show_alert
from backend.dashboard.caseload_page import full_name
from backend.dashboard.check_in_rows import show_check_in
from backend.dashboard.desk import Desk
from backend.dashboard.pages import desk_page
from backend.dashboard.programme import show_programme
from backend.dashboard.services import PatientRecord, has_news, read_patient
from backend.dashboard.timeline import show_timeline
from backend.dashboard.wording import TREND_WORDS, full_day, short_day
from backend.tracking.trends.baseline import FIRST_DAYS_AGO

RANGES: dict[str, int | None] = {"30": 30, "90": 90, "all": None}
USUAL_RANGE = "90"
SHORT_PAST = 3


@desk_page()
def patient(request: HttpRequest, desk: Desk, patient_id: UUID) -> HttpResponse:
    """The page of one patient, of the last 90 days unless asked otherwise."""
    chosen = request.GET.get("days", USUAL_RANGE)
    chosen = chosen if chosen in RANGES else USUAL_RANGE
    record = read_patient(desk, patient_id, days=RANGES[chosen])
    cards = [show_alert(alert, record.patient, desk) for alert in record.alerts]
    past = [card for card in cards if not card.is_open]
    context = {
        "desk": desk,
        "patient": record.patient,
        "name": full_name(record.patient.given_name, record.patient.family_name),
        **_trend(record, desk),
        "new_normal": _new_normal(record),
        "ended": "" if record.last == record.today else full_day(record.last),
        "chart": show_timeline(record, language=desk.language)
        if record.days_silent is not None
        else None,
        "open_alerts": [card for card in cards if card.is_open],
        "past_alerts": past,
        "past_is_short": len(past) <= SHORT_PAST and len(past) == len(cards),
        "rows": _rows(record, desk),
        "programme": show_programme(record, desk),
        "ranges": _ranges(chosen),
        "since": f"{desk.now.timestamp():.3f}",
    }
    return render(request, "desk/patient.html", context)


def _trend(record: PatientRecord, desk: Desk) -> dict[str, object]:
    """The trend with its sentence; for who has been silent for a week, that they have been."""
    assessed = record.assessment.trend if record.assessment else "unknown"
    trend = trend_now(assessed, record.days_silent)
    if trend == assessed:
        sentence = explain_trend(
            record.assessment, record.patient, language=desk.language, now=desk.now
        )
    else:
        sentence = text("reason.absence", language=desk.language, count=record.days_silent or 0)
    return {"trend": trend, "trend_word": TREND_WORDS[trend], "trend_sentence": sentence}


def _new_normal(record: PatientRecord) -> str:
    """From which day on their usual counts, by whom and why; empty where it makes no difference to
    the days shown."""
    start = record.new_normal
    if start is None or start.from_on <= record.first - timedelta(days=FIRST_DAYS_AGO):
        return ""
    clinician = getattr(start.set_by, "clinician", None)
    return _("Their usual counts from %(day)s on. %(who)s: %(reason)s") % {
        "day": short_day(start.from_on, today=record.today),
        "who": clinician.display_name if clinician else _("Somebody"),
        "reason": start.reason,
    }


def _rows(record: PatientRecord, desk: Desk) -> list[object]:
    alert_days = {day for alert in record.alerts for day in series.days_of_alert(alert)}
    return [
        show_check_in(
            row,
            alert_days=alert_days,
            zone=record.patient.time_zone,
            today=record.today,
            language=desk.language,
        )
        for row in record.check_ins
    ]


def _ranges(chosen: str) -> list[dict[str, object]]:
    words = {"30": _("30 days"), "90": _("90 days"), "all": _("All")}
    return [{"key": key, "words": words[key], "is_chosen": key == chosen} for key in RANGES]


@desk_page(renews=False)
def news(request: HttpRequest, desk: Desk, patient_id: UUID) -> HttpResponse:
    """Whether something arrived since the page was made: nothing, or a line that says so."""
    try:
        since = float(request.GET.get("since", "0"))
    except ValueError:
        since = 0.0
    if not has_news(desk.actor, patient_id, since=since):
        return HttpResponse(status=204)
    return render(request, "desk/news.html", {"patient_id": patient_id})
