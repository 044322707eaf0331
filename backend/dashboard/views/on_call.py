"""Who is on call: for administrators, who plan it, and for clinicians, who read it."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backend import errors
from backend.accounts.models import Organisation
from backend.aftercare import services
from backend.aftercare.ladder_selectors import newest_ladder
from backend.aftercare.monitoring_hours import HOLIDAYS
from backend.dashboard.desk import Desk, Office
from backend.dashboard.ladder_page import show_ladder
from backend.dashboard.pages import STATUS, desk_page, office_page
from backend.dashboard.rota_page import show_rota
from backend.dashboard.services import add_shifts, read_on_call
from backend.dashboard.shift_form import (
    ShiftForm,
    empty_form,
    planned,
    read_day,
    read_holiday,
    read_shift_form,
    with_problems,
)
from backend.dashboard.wording import full_day


@desk_page()
def on_call(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Who is on call now and in the days that come, and who is told of an alert after whom."""
    organisation = desk.clinician.organisation
    rota = read_on_call(organisation, now=desk.now)
    context = {
        "desk": desk,
        "rota": show_rota(rota, holidays=_holidays(organisation), now=desk.now),
        "ladder": show_ladder(
            newest_ladder(organisation.pk), rota, zone=organisation.time_zone, now=desk.now
        ),
    }
    return render(request, "desk/on_call.html", context)


@office_page(methods=("GET", "POST"))
def plan(request: HttpRequest, office: Office) -> HttpResponse:
    """The rota with its gaps, and the form that puts somebody on call."""
    if request.method != "POST":
        return _page(request, office, empty_form(request.GET, now=office.now, zone=office.zone))
    form = read_shift_form(request.POST)
    try:
        added = add_shifts(office, planned(form, zone=office.zone))
    except (errors.Invalid, errors.Conflict, errors.Gone) as error:
        return _page(request, office, with_problems(form, error), problem=error)
    said = ngettext(
        "Saved: %(name)s has %(count)d shift more.",
        "Saved: %(name)s has %(count)d shifts more.",
        len(added),
    )
    facts = {"name": added[0].clinician.display_name, "count": len(added)}
    messages.success(request, said % facts)
    return redirect("administrator:on-call")


@office_page(methods=("POST",))
def take_back(request: HttpRequest, office: Office, shift_id: UUID) -> HttpResponse:
    """Takes a shift back; the same form sent twice does one thing."""
    services.cancel_shift(actor=office.actor, shift_id=shift_id, now=office.now)
    messages.success(request, _("Saved: the shift was taken back. Look at the gaps below."))
    return redirect("administrator:on-call")


@office_page(methods=("POST",))
def holidays(request: HttpRequest, office: Office) -> HttpResponse:
    """Adds a day on which nobody works, or takes one away."""
    try:
        if request.POST.get("remove"):
            day = read_day(request.POST)
            services.remove_holiday(actor=office.actor, day=day)
            said = _("Saved: %(day)s is a working day like any other.")
        else:
            day, name = read_holiday(request.POST)
            services.add_holiday(actor=office.actor, day=day, name=name)
            said = _("Saved: %(day)s counts as a holiday.")
    except (errors.Invalid, errors.Conflict) as error:
        form = empty_form(request.GET, now=office.now, zone=office.zone)
        written = {name: request.POST.get(name, "")[:80] for name in ("on", "name")}
        return _page(request, office, form, problem=error, holiday=written)
    messages.success(request, said % {"day": full_day(day)})
    return redirect("administrator:on-call")


def _page(
    request: HttpRequest,
    office: Office,
    form: ShiftForm,
    *,
    problem: errors.DomainError | None = None,
    holiday: dict[str, str] | None = None,
) -> HttpResponse:
    organisation = office.administrator.organisation
    rota = read_on_call(organisation, now=office.now)
    days = _holidays(organisation)
    today = office.now.astimezone(ZoneInfo(office.zone)).date().isoformat()
    context: dict[str, Any] = {
        "office": office,
        "rota": show_rota(rota, holidays=days, now=office.now),
        "form": form,
        "people": rota.staff,
        "holidays": [
            (full_day(date.fromisoformat(on)), on, name)
            for on, name in sorted(days.items())
            if on >= today
        ],
        "problem": "" if problem is None or holiday is not None else problem.detail,
        "holiday": holiday or {},
        "holiday_problem": problem.detail if problem and holiday is not None else "",
    }
    status = STATUS[type(problem)] if problem else 200
    return render(request, "desk/rota.html", context, status=status)


def _holidays(organisation: Organisation) -> dict[str, str]:
    found: dict[str, str] = organisation.monitoring_hours.get(HOLIDAYS, {})
    return found
