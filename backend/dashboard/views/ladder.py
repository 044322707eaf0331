"""The organisation's ladder: what stands, what stood before, and the form that changes it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from backend import errors
from backend.aftercare import services
from backend.aftercare.ladder_selectors import ladder_versions, newest_ladder
from backend.dashboard.desk import Office
from backend.dashboard.ladder_form import (
    MOST_RUNGS,
    LadderForm,
    draft_of,
    form_of,
    read_form,
    rearranged,
    show_rungs,
    with_problems,
)
from backend.dashboard.ladder_page import show_ladder
from backend.dashboard.pages import STATUS, office_page
from backend.dashboard.services import read_on_call


@office_page()
def ladder(request: HttpRequest, office: Office) -> HttpResponse:
    """The ladder as it stands, and every version before it."""
    rota = read_on_call(office.administrator.organisation, now=office.now)
    rows = ladder_versions(office.administrator.organisation_id)
    shown = [show_ladder(row, rota, zone=office.zone, now=office.now) for row in rows]
    context = {
        "office": office,
        "ladder": shown[0] if shown else show_ladder(None, rota, zone=office.zone, now=office.now),
        "earlier": shown[1:],
    }
    return render(request, "desk/ladder.html", context)


@office_page(methods=("GET", "POST"))
def change(request: HttpRequest, office: Office) -> HttpResponse:
    """The form. Rungs come, go and move without anything being stored; saving stores a version."""
    if request.method != "POST":
        return _form(request, office, form_of(newest_ladder(office.administrator.organisation_id)))
    form = read_form(request.POST)
    wanted = request.POST.get("change", "save")
    if wanted != "save":
        return _form(request, office, rearranged(form, wanted))
    try:
        _organisation, stored = services.set_ladder(
            actor=office.actor,
            draft=draft_of(form),
            base_version=form.base_version,
            now=office.now,
        )
    except errors.Invalid as error:
        return _form(request, office, with_problems(form, error.problems), problem=error)
    except errors.Conflict as error:
        return _stale(request, office, form, error)
    said = _("Saved: this is version %(version)d. Alerts that are open keep the ladder they have.")
    messages.success(request, said % {"version": stored.version})
    return redirect("administrator:ladder")


def _stale(
    request: HttpRequest, office: Office, form: LadderForm, error: errors.Conflict
) -> HttpResponse:
    """What was written stays, beside what stands now; saving again is over that."""
    stored = error.extra.get("stored")
    rota = read_on_call(office.administrator.organisation, now=office.now)
    shown = show_ladder(stored, rota, zone=office.zone, now=office.now)
    fresh = LadderForm(
        rungs=form.rungs,
        base_version=shown.version,
        reason=form.reason,
        decided_by=form.decided_by,
        review_on=form.review_on,
    )
    return _form(request, office, fresh, problem=error, stored=shown)


def _form(
    request: HttpRequest,
    office: Office,
    form: LadderForm,
    *,
    problem: errors.DomainError | None = None,
    stored: object = None,
) -> HttpResponse:
    rota = read_on_call(office.administrator.organisation, now=office.now)
    context = {
        "office": office,
        "form": form,
        "rungs": show_rungs(form, rota),
        "may_add": len(form.rungs) < MOST_RUNGS,
        "problem": problem,
        "stored": stored,
    }
    status = STATUS[type(problem)] if problem else 200
    return render(request, "desk/ladder_change.html", context, status=status)
