"""The way in, the way out, and the language."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods as require
from django.views.decorators.http import require_POST, require_safe

from backend import errors
from backend.accounts import services as accounts
from backend.accounts.api.signing_in import address_of
from backend.dashboard import sessions
from backend.dashboard.pages import STATUS
from backend.request_ids import request_id_of

LONGEST_EMAIL, LONGEST_PASSWORD = 254, 200
ONE_YEAR = 365 * 24 * 3600


@require_safe
def home(_request: HttpRequest) -> HttpResponse:
    """The bare address leads to the desk."""
    return redirect("desk:caseload")


@never_cache
@require(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """E-mail and password for a session; wrong ones and other roles are told so kindly."""
    if request.method == "POST":
        return _try(request)
    if sessions.signed_in_user(request) is not None:
        return redirect(_back(request))
    return _page(request, rested="rested" in request.GET)


def _try(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    email = request.POST.get("email", "").replace("\0", "")[:LONGEST_EMAIL]
    password = request.POST.get("password", "")[:LONGEST_PASSWORD]
    if not email.strip() or not password:
        return _page(request, problem=_("Please write your e-mail address and your password."))
    try:
        user = accounts.sign_in_staff(
            email=email,
            password=password,
            address=address_of(request),
            request_id=request_id_of(request),
            now=now,
        )
    except errors.DomainError as error:
        return _page(request, problem=error.detail, email=email, status=STATUS[type(error)])
    sessions.begin(request, user, now=now)
    response = redirect(_back(request))
    _remember_language(response, user.language)
    return response


def _page(
    request: HttpRequest,
    *,
    problem: str = "",
    email: str = "",
    rested: bool = False,
    status: int = 200,
) -> HttpResponse:
    context = {"problem": problem, "email": email, "rested": rested, "next": _back(request)}
    return render(
        request, "desk/sign_in.html", context, status=400 if problem and status == 200 else status
    )


def _back(request: HttpRequest) -> str:
    """Where the person wanted to go, if that is a page of ours."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if is_ours else reverse("desk:caseload")


@never_cache
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Ends the session at once, here and on the server."""
    user = sessions.signed_in_user(request)
    if user is not None:
        accounts.sign_out_staff(actor=sessions.actor_of(request, user))
    sessions.end(request)
    return redirect("desk:sign-in")


@never_cache
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Switches the pages, and the account of who is signed in, to another language."""
    wanted = request.POST.get("language", "")
    if wanted not in dict(settings.LANGUAGES):
        wanted = settings.LANGUAGE_CODE
    user = sessions.signed_in_user(request)
    if user is not None and not sessions.is_over(request, now=timezone.now()):
        accounts.choose_language(actor=sessions.actor_of(request, user), language=wanted)
    response = redirect(_back(request))
    _remember_language(response, wanted)
    return response


def _remember_language(response: HttpResponseBase, wanted: str) -> None:
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        wanted,
        max_age=ONE_YEAR,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
