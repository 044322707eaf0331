"""What every page of the desk shares: the guard at its door, and how a refusal looks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _

from backend import errors
from backend.accounts.models import User
from backend.dashboard import sessions
from backend.rest import READS

View = Callable[..., HttpResponse]
STATUS: Mapping[type[errors.DomainError], int] = {
    errors.Invalid: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Gone: 410,
    errors.RateLimited: 429,
}


@dataclass(frozen=True, slots=True)
class Door:
    """Whom a page lets in, and what its view is called with then."""

    signed_in: Callable[[HttpRequest], User | None]
    seat: Callable[..., Any]


DESK = Door(sessions.signed_in_user, sessions.desk_of)
OFFICE = Door(sessions.signed_in_administrator, sessions.office_of)


def is_htmx(request: HttpRequest) -> bool:
    """Whether a part of a page is asked for by the page itself."""
    return request.headers.get("HX-Request") == "true"


def desk_page(
    *, methods: tuple[str, ...] = ("GET",), renews: bool = True
) -> Callable[[View], View]:
    """A view for a signed-in clinician, called with their `Desk`; everyone else goes to sign in.

    `renews` is false for what a page asks for by itself.
    """
    return _guard(DESK, methods, renews)


def office_page(*, methods: tuple[str, ...] = ("GET",)) -> Callable[[View], View]:
    """The same for a signed-in administrator, called with their `Office`."""
    return _guard(OFFICE, methods, renews=True)


def _guard(door: Door, methods: tuple[str, ...], renews: bool) -> Callable[[View], View]:
    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponse:
            response = _answer(request, door, view, methods, renews, kwargs)
            add_never_cache_headers(response)
            return response

        return guarded

    return guard


def _answer(
    request: HttpRequest,
    door: Door,
    view: View,
    methods: tuple[str, ...],
    renews: bool,
    kwargs: dict[str, Any],
) -> HttpResponse:
    if request.method not in (*methods, "HEAD" if "GET" in methods else None):
        return HttpResponse(status=405, headers={"Allow": ", ".join(methods)})
    now = timezone.now()
    user = door.signed_in(request)
    if user is None or sessions.is_over(request, now=now):
        if sessions.signed_in_anyone(request) is None or sessions.is_over(request, now=now):
            sessions.end(request)
        return to_sign_in(request, was_signed_in=user is not None)
    if renews:
        sessions.renew(request, now=now)
    translation.activate(user.language)
    try:
        # A page and the row that says who read it are one transaction; a form's acts have theirs.
        with transaction.atomic() if request.method in READS else nullcontext():
            return view(request, door.seat(request, user, now=now), **kwargs)
    except errors.DomainError as error:
        return refusal(request, error)


def to_sign_in(request: HttpRequest, *, was_signed_in: bool) -> HttpResponse:
    """The sign-in page, which leads back to where somebody was."""
    back = request.path if request.method == "GET" and not is_htmx(request) else ""
    query = {"next": back} if back else {}
    if was_signed_in:
        query["rested"] = "1"
    address = reverse("desk:sign-in") + (f"?{urlencode(query)}" if query else "")
    if is_htmx(request):
        return HttpResponse(status=401, headers={"HX-Redirect": address})
    return redirect(address)


def refusal(request: HttpRequest, error: errors.DomainError) -> HttpResponse:
    """A kind page about something that cannot be, with the way back."""
    status = STATUS.get(type(error), 400)
    context = {
        "detail": error.detail,
        "is_signed_in": sessions.signed_in_user(request) is not None,
        "office": sessions.signed_in_administrator(request),
    }
    template = "desk/refusal_part.html" if is_htmx(request) else "desk/refusal.html"
    return render(request, template, context, status=status)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without its token: mostly a page that stood open while somebody signed out."""
    detail = _("This page was open for too long. Nothing was saved. Please load it again.")
    response = refusal(request, errors.Forbidden("csrf_failed", detail))
    add_never_cache_headers(response)
    return response
