"""What a clinician does about an alert: forms that work with and without scripts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backend import errors
from backend.aftercare import services as aftercare
from backend.dashboard.alert_cards import show_alert
from backend.dashboard.desk import Desk
from backend.dashboard.pages import STATUS, desk_page, is_htmx
from backend.dashboard.services import AlertAction, do_about_alert, read_alert

LONGEST_NOTE = 4000
SAVED: Mapping[str, Promise] = {
    "acknowledge": gettext_lazy("Saved: you have seen it."),
    "act": gettext_lazy("Saved: what you did."),
    "resolve": gettext_lazy("Saved: the alert is resolved."),
}


@desk_page(methods=("POST",))
def perform(
    request: HttpRequest, desk: Desk, patient_id: UUID, alert_id: UUID, kind: str
) -> HttpResponse:
    """Acknowledges, acts or resolves; the same form sent twice does one thing."""
    sent = request.POST
    try:
        action = BOUND[kind](sent, desk)
        do_about_alert(desk, patient_id, alert_id, seen=sent.get("seen", ""), action=action)
    except (errors.Invalid, errors.Conflict) as error:
        return _again(request, desk, patient_id, alert_id, kind, error)
    if not is_htmx(request):
        messages.success(request, str(SAVED[kind]))
        return redirect(f"{reverse('desk:patient', args=[patient_id])}#alert-{alert_id}")
    return _card(request, desk, patient_id, alert_id, said=str(SAVED[kind]))


def _acknowledge(sent: QueryDict, desk: Desk) -> AlertAction:
    act_id = _act_id(sent)
    return partial(aftercare.acknowledge_alert, actor=desk.actor, act_id=act_id, now=desk.now)


def _act(sent: QueryDict, desk: Desk) -> AlertAction:
    note = _note(sent)
    if not note:
        words = _("Please write in a few words what you did.")
        raise errors.invalid_field("/note", "empty", words)
    act_id = _act_id(sent)
    return partial(
        aftercare.act_on_alert,
        actor=desk.actor,
        act_id=act_id,
        note=note,
        look_again_on=_look_again_on(sent),
        now=desk.now,
    )


def _look_again_on(sent: QueryDict) -> date | None:
    written = sent.get("look_again_on", "")
    try:
        return date.fromisoformat(written) if written else None
    except ValueError:
        words = _("Please choose a day.")
        raise errors.invalid_field("/look_again_on", "invalid_value", words) from None


def _resolve(sent: QueryDict, desk: Desk) -> AlertAction:
    return partial(
        aftercare.resolve_alert,
        actor=desk.actor,
        act_id=_act_id(sent),
        outcome=sent.get("outcome", ""),
        note=_note(sent),
        now=desk.now,
    )


BOUND: Mapping[str, Callable[[QueryDict, Desk], AlertAction]] = {
    "acknowledge": _acknowledge,
    "act": _act,
    "resolve": _resolve,
}


def _act_id(sent: QueryDict) -> UUID:
    try:
        return UUID(sent.get("id", ""))
    except ValueError as error:
        words = _("This form was not complete. Please load the page again.")
        raise errors.invalid_field("/id", "not_an_id", words) from error


def _note(sent: QueryDict) -> str:
    note = sent.get("note", "").replace("\0", "").strip()
    if len(note) > LONGEST_NOTE:
        words = _("This note is too long to keep. Please shorten it.")
        raise errors.invalid_field("/note", "too_long", words)
    return note


def _again(
    request: HttpRequest,
    desk: Desk,
    patient_id: UUID,
    alert_id: UUID,
    kind: str,
    error: errors.DomainError,
) -> HttpResponse:
    """The card as it is now, with what was written and what was wrong."""
    return _card(
        request,
        desk,
        patient_id,
        alert_id,
        problem=error.detail,
        problem_of=kind,
        note=request.POST.get("note", ""),
        status=STATUS[type(error)],
    )


def _card(
    request: HttpRequest,
    desk: Desk,
    patient_id: UUID,
    alert_id: UUID,
    *,
    said: str = "",
    problem: str = "",
    problem_of: str = "",
    note: str = "",
    status: int = 200,
) -> HttpResponse:
    patient, alert = read_alert(desk, patient_id, alert_id)
    card = show_alert(alert, patient, desk, problem=problem, problem_of=problem_of, note=note)
    template = "desk/alert_part.html" if is_htmx(request) else "desk/alert_page.html"
    context = {"desk": desk, "alert": card, "said": said, "is_fresh": True}
    return render(request, template, context, status=status)
