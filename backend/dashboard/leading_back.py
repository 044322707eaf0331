"""Where signing in leads to, and the language that a browser keeps."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from backend.accounts.actor import Role
from backend.accounts.models import User

ONE_YEAR = 365 * 24 * 3600
HOMES: Mapping[str, str] = {
    Role.CLINICIAN: "desk:caseload",
    Role.ADMINISTRATOR: "administrator:page",
    Role.OPERATOR: "operator:page",
}


def back(request: HttpRequest) -> str:
    """Where the person wanted to go, if that is a page of ours."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if is_ours else reverse("desk:caseload")


def back_for(request: HttpRequest, user: User) -> str:
    """Where who is signed in wanted to go, if such pages are theirs; else their first page."""
    wanted, home = back(request), reverse(HOMES[user.role])
    return wanted if wanted.startswith(home) else home


def remember_language(response: HttpResponseBase, wanted: str) -> None:
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        wanted,
        max_age=ONE_YEAR,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
