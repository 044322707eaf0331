"""Planning a patient's sessions: a series or one, moved or called off."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backend import errors
from backend.aftercare.monitoring_hours import HOLIDAYS
from backend.dashboard.caseload_page import full_name
from backend.dashboard.desk import Desk
from backend.dashboard.pages import STATUS, desk_page
from backend.dashboard.planning import Problem, choices_of, show_weeks, summary
from backend.dashboard.planning_form import (
    Plan,
    PlanForm,
    clock_of,
    day_of,
    empty_plan,
    id_of,
    moment_of,
    plan_of,
    read_plan_form,
    with_problems,
)
from backend.dashboard.programme import phase_words
from backend.dashboard.services import may_change_patient, read_planning
from backend.program import services
from backend.program.models import ProgramSession
from backend.program.selectors import sessions_of_series

UNSAVED = (errors.Invalid, errors.Conflict)


@desk_page(methods=("GET", "POST"))
def sessions(request: HttpRequest, desk: Desk, patient_id: UUID) -> HttpResponse:
    """What is planned, and the form that plans more; the same form sent twice plans once."""
    if request.method != "POST":
        return _page(request, desk, patient_id)
    form = read_plan_form(request.POST)
    try:
        count = _store(desk, patient_id, plan_of(form))
    except UNSAVED as error:
        return _page(request, desk, patient_id, form=with_problems(form, error), problem=error)
    said = ngettext("Saved: %(count)d session.", "Saved: %(count)d sessions.", count)
    messages.success(request, said % {"count": count})
    return redirect("desk:sessions", patient_id=patient_id)


def _store(desk: Desk, patient_id: UUID, plan: Plan) -> int:
    if plan.rule:
        series = services.plan_series(
            actor=desk.actor,
            patient_id=patient_id,
            series_id=plan.id,
            kind=plan.kind,
            first_on=plan.first_on,
            at=plan.at,
            duration_minutes=plan.minutes,
            rule=plan.rule,
            now=desk.now,
        )
        return len(sessions_of_series(series.row))
    services.plan_session(
        actor=desk.actor,
        patient_id=patient_id,
        session_id=plan.id,
        kind=plan.kind,
        starts_at=moment_of(plan.first_on, plan.at, _zone(desk)),
        duration_minutes=plan.minutes,
        now=desk.now,
    )
    return 1


def _zone(desk: Desk) -> str:
    return desk.clinician.organisation.time_zone


@desk_page(methods=("POST",))
def move(request: HttpRequest, desk: Desk, patient_id: UUID, session_id: UUID) -> HttpResponse:
    """Puts one session at another time."""
    day, clock = (request.POST.get(name, "")[:20] for name in ("day", "clock"))
    try:
        stored = _move(request, desk, patient_id, session_id, day, clock)
    except UNSAVED as error:
        at = Problem(session_id, error.detail, day=day, clock=clock)
        return _page(request, desk, patient_id, at=at, status=STATUS[type(error)])
    messages.success(request, _("Saved: the session was moved."))
    return redirect(f"{reverse('desk:sessions', args=[patient_id])}#session-{stored.pk}")


def _move(
    request: HttpRequest, desk: Desk, patient_id: UUID, session_id: UUID, day: str, clock: str
) -> ProgramSession:
    moved_id, on, at = id_of(request.POST.get("id", "")), day_of(day), clock_of(clock)
    if moved_id is None:
        words = _("This form was not complete. Please load the page again.")
        raise errors.invalid_field("/id", "not_an_id", words)
    if on is None or at is None:
        words = _("Please choose a day and a time.")
        raise errors.invalid_field("/starts_at", "invalid_value", words)
    return services.move_session(
        actor=desk.actor,
        patient_id=patient_id,
        session_id=session_id,
        moved_id=moved_id,
        starts_at=moment_of(on, at, _zone(desk)),
        now=desk.now,
    ).row


@desk_page(methods=("POST",))
def call_off(request: HttpRequest, desk: Desk, patient_id: UUID, session_id: UUID) -> HttpResponse:
    """Calls one session off; the same form sent twice does one thing."""
    try:
        services.cancel_session(
            actor=desk.actor, patient_id=patient_id, session_id=session_id, now=desk.now
        )
    except errors.Conflict as error:
        at = Problem(session_id, error.detail)
        return _page(request, desk, patient_id, at=at, status=STATUS[type(error)])
    messages.success(request, _("Saved: the session is called off. Nobody misses it."))
    return redirect(f"{reverse('desk:sessions', args=[patient_id])}#session-{session_id}")


def _page(
    request: HttpRequest,
    desk: Desk,
    patient_id: UUID,
    *,
    form: PlanForm | None = None,
    problem: errors.DomainError | None = None,
    at: Problem | None = None,
    status: int = 200,
) -> HttpResponse:
    record = read_planning(desk, patient_id)
    organisation = record.patient.organisation
    form = form or empty_plan(now=desk.now, zone=organisation.time_zone)
    context = {
        "desk": desk,
        "patient": record.patient,
        "name": full_name(record.patient.given_name, record.patient.family_name),
        "phase": phase_words(record.episodes, record.today),
        "summary": summary(record.sessions, now=desk.now),
        "weeks": show_weeks(
            record.sessions,
            holidays=organisation.monitoring_hours.get(HOLIDAYS, {}),
            now=desk.now,
            problem=at,
        ),
        "may_change": may_change_patient(desk, patient_id),
        "form": form,
        "choices": choices_of(form),
        "problem": problem.detail if problem else "",
        "time_zone": organisation.time_zone,
    }
    status = STATUS[type(problem)] if problem else status
    return render(request, "desk/sessions.html", context, status=status)
