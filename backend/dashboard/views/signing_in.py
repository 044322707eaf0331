"""The way in, the way out, and the language."""

from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods as require
from django.views.decorators.http import require_POST, require_safe

from backend import errors
from backend.accounts import services as accounts
from backend.accounts.api.signing_in import address_of
from backend.dashboard import sessions
from backend.dashboard.leading_back import back, back_for, remember_language
from backend.dashboard.pages import STATUS
from backend.request_ids import request_id_of

LONGEST_EMAIL, LONGEST_PASSWORD = 254, 200


@require_safe
def home(_request: HttpRequest) -> HttpResponse:
    """The bare address leads to the desk."""
    return redirect("desk:caseload")


@never_cache
@require(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """E-mail and password, then the second step; wrong ones and other roles are told so kindly."""
    if request.method == "POST":
        return _try(request)
    user = sessions.signed_in_anyone(request)
    if user is not None:
        return redirect(back_for(request, user))
    return _page(request, rested="rested" in request.GET)


def _try(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    email = request.POST.get("email", "").replace("\0", "")[:LONGEST_EMAIL]
    password = request.POST.get("password", "")[:LONGEST_PASSWORD]
    if not email.strip() or not password:
        return _page(request, problem=_("Please write your e-mail address and your password."))
    try:
        required = accounts.sign_in_staff(
            email=email,
            password=password,
            address=address_of(request),
            request_id=request_id_of(request),
            now=now,
        )
    except errors.DomainError as error:
        return _page(request, problem=error.detail, email=email, status=STATUS[type(error)])
    sessions.await_second_step(request, required.token)
    return redirect(f"{reverse('desk:second-step')}?{urlencode({'next': back(request)})}")


def _page(
    request: HttpRequest,
    *,
    problem: str = "",
    email: str = "",
    rested: bool = False,
    status: int = 200,
) -> HttpResponse:
    context = {"problem": problem, "email": email, "rested": rested, "next": back(request)}
    return render(
        request, "desk/sign_in.html", context, status=400 if problem and status == 200 else status
    )


@never_cache
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Ends the session at once, here and on the server."""
    user = sessions.signed_in_anyone(request)
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
    user = sessions.signed_in_anyone(request)
    if user is not None and not sessions.is_over(request, now=timezone.now()):
        accounts.choose_language(actor=sessions.actor_of(request, user), language=wanted)
    response = redirect(back(request))
    remember_language(response, wanted)
    return response
