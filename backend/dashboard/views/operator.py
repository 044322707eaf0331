"""The operator's page: ids and counts, and nothing of any person."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from backend import errors
from backend.dashboard import sessions
from backend.dashboard.operator_page import show_operations
from backend.dashboard.pages import refusal, to_sign_in
from backend.operations.services import read_operations


@never_cache
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The whole page, for a signed-in operator; everyone else goes to sign in."""
    return _answer(request, "desk/operator.html", renews=True)


@never_cache
@require_safe
def refresh(request: HttpRequest) -> HttpResponse:
    """The board again, as the page asks for it by itself: that is no sign of anybody there."""
    return _answer(request, "desk/operator_board.html", renews=False)


def _answer(request: HttpRequest, template: str, *, renews: bool) -> HttpResponse:
    now = timezone.now()
    user = sessions.signed_in_operator(request)
    if user is None:
        return to_sign_in(request, was_signed_in=False)
    if sessions.is_over(request, now=now):
        sessions.end(request)
        return to_sign_in(request, was_signed_in=True)
    if renews:
        sessions.renew(request, now=now)
    translation.activate(user.language)
    try:
        status = read_operations(actor=sessions.actor_of(request, user), now=now)
    except errors.DomainError as error:
        return refusal(request, error)
    return render(request, template, {"operator": user, "page": show_operations(status)})
