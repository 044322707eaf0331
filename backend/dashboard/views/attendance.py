"""Recording who came to a session: a form that works with and without scripts."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from backend import errors
from backend.dashboard.desk import Desk
from backend.dashboard.pages import STATUS, desk_page, is_htmx
from backend.dashboard.programme import STATUSES, show_session
from backend.dashboard.services import read_session
from backend.program import services


@desk_page(methods=("POST",))
def record(request: HttpRequest, desk: Desk, patient_id: UUID, session_id: UUID) -> HttpResponse:
    """Records or corrects it; the same form sent twice does one thing."""
    try:
        services.record_attendance(
            actor=desk.actor,
            patient_id=patient_id,
            session_id=session_id,
            attendance_id=_id(request.POST.get("id", "")),
            status=_status(request.POST.get("status", "")),
            now=desk.now,
        )
    except (errors.Invalid, errors.Conflict) as error:
        return _row(request, desk, patient_id, session_id, problem=error)
    said = _("Saved: who came.")
    if not is_htmx(request):
        messages.success(request, said)
        return redirect(f"{reverse('desk:patient', args=[patient_id])}#session-{session_id}")
    return _row(request, desk, patient_id, session_id, said=said)


def _id(sent: str) -> UUID:
    try:
        return UUID(sent)
    except ValueError as error:
        words = _("This form was not complete. Please load the page again.")
        raise errors.invalid_field("/id", "not_an_id", words) from error


def _status(sent: str) -> str:
    if sent not in STATUSES:
        raise errors.invalid_field("/status", "empty", _("Please say whether they came."))
    return sent


def _row(
    request: HttpRequest,
    desk: Desk,
    patient_id: UUID,
    session_id: UUID,
    *,
    said: str = "",
    problem: errors.DomainError | None = None,
) -> HttpResponse:
    """The session as it is now, with what was wrong."""
    _patient, row = read_session(desk, patient_id, session_id)
    shown = show_session(row, desk, problem=problem.detail if problem else "")
    context = {"desk": desk, "session": shown, "said": said, "is_fresh": True}
    template = "desk/session_part.html" if is_htmx(request) else "desk/session_page.html"
    return render(request, template, context, status=STATUS[type(problem)] if problem else 200)
