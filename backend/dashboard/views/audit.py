"""Who saw a patient between two days: choosing them, and the list."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from backend import errors
from backend.dashboard.audit_page import chosen_days, found_words, show_act, show_found
from backend.dashboard.caseload_page import full_name
from backend.dashboard.desk import Office
from backend.dashboard.pages import office_page
from backend.dashboard.services import find_patients
from backend.privacy.api.audit import cursor_of, place_of, row_number, show_for_administrator
from backend.privacy.services import read_patient_audit
from backend.privacy.services.reading import Days
from backend.rest import page

LONGEST_SEARCH, LONGEST_CURSOR = 100, 300
MOST_FOUND, PAGE_SIZE = 50, 50


# As on the caseload, the name that somebody looks for travels in the body alone.
@office_page(methods=("GET", "POST"))
def choose(request: HttpRequest, office: Office) -> HttpResponse:
    """Asks for a name and two days; shows who of the organisation has that name."""
    if request.method != "POST":
        return _choosing(request, office, chosen_days({}, office))
    wanted = request.POST.get("wanted", "").replace("\0", "")[:LONGEST_SEARCH].strip()
    try:
        days = chosen_days(request.POST.dict(), office)
    except errors.Invalid:
        problem = _days_problem()
        return _choosing(request, office, chosen_days({}, office), wanted=wanted, problem=problem)
    if not wanted:
        return _choosing(request, office, days, problem=_("Please write a name."))
    found, has_more = find_patients(office, wanted.split(), most=MOST_FOUND)
    shown = [show_found(patient) for patient in found]
    words = found_words(len(shown), has_more=has_more)
    return _choosing(request, office, days, wanted=wanted, people=shown, found=words)


def _choosing(
    request: HttpRequest, office: Office, days: Days, *, problem: str = "", **more: Any
) -> HttpResponse:
    context = {"office": office, "days": days, "query": _query(days), "problem": problem, **more}
    return render(request, "desk/audit_choose.html", context, status=400 if problem else 200)


@office_page()
def patient_audit(request: HttpRequest, office: Office, patient_id: UUID) -> HttpResponse:
    """What staff did with this patient's record and who was refused, the newest first."""
    context: dict[str, Any] = {"office": office, "patient_id": patient_id}
    try:
        days = chosen_days(request.GET.dict(), office)
    except errors.Invalid:
        context |= {"days": chosen_days({}, office), "problem": _days_problem()}
        return render(request, "desk/audit.html", context, status=400)
    cursor = request.GET.get("cursor", "")[:LONGEST_CURSOR]
    record = read_patient_audit(
        actor=office.actor,
        patient_id=patient_id,
        days=days,
        size=PAGE_SIZE,
        before=place_of(cursor, row_number),
        zone=office.zone,
    )
    language = get_language() or "en"
    answer = page(
        record.rows,
        size=PAGE_SIZE,
        show=lambda row: show_act(show_for_administrator(row, record, language), office),
        cursor_of=cursor_of,
    )
    context |= {
        "name": full_name(record.patient.given_name, record.patient.family_name),
        "days": days,
        "acts": answer["results"],
        "newest": _query(days) if cursor else "",
        "earlier": _query(days, answer["next_cursor"]) if answer["next_cursor"] else "",
    }
    return render(request, "desk/audit.html", context)


def _query(days: Days, cursor: str = "") -> str:
    said = {
        "from": days.first or "",
        "to": days.last or "",
        **({"cursor": cursor} if cursor else {}),
    }
    return urlencode(said)


def _days_problem() -> str:
    return _("Please choose a first day that is not after the last.")
