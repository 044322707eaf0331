"""The second step of signing in: a code, or at the first time the app that will show them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import segno
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods as require

from backend import errors
from backend.accounts import services as accounts
from backend.accounts.api.signing_in import address_of
from backend.dashboard import passkey_forms, sessions
from backend.dashboard.leading_back import back, remember_language
from backend.dashboard.pages import STATUS
from backend.request_ids import request_id_of

LONGEST_CODE = 40


@never_cache
@require(["GET", "HEAD", "POST"])
def second_step(request: HttpRequest) -> HttpResponse:
    """Open to a browser whose password was right a moment ago; all others go to sign in."""
    token = request.session.get(sessions.SECOND_STEP)
    if token is None:
        return redirect("desk:sign-in")
    try:
        return _try(request, token) if request.method == "POST" else _page(request, token)
    except errors.DomainError as error:
        return _refused(request, token, error)


def _try(request: HttpRequest, token: str) -> HttpResponse:
    code = request.POST.get("code", "").replace("\0", "").strip()[:LONGEST_CODE]
    signed = passkey_forms.sent(request)
    if not code and signed is None:
        return _page(request, token, problem=_("Please write the code."), status=400)
    now = timezone.now()
    begun = _begun(request, token, code, signed, now)
    sessions.begin(request, begun.user, now=now)
    if begun.recovery_codes:
        context = {"codes": begun.recovery_codes, "next": back(request)}
        response = render(request, "desk/recovery_codes.html", context)
    else:
        response = redirect(back(request))
    remember_language(response, begun.user.language)
    return response


def _begun(
    request: HttpRequest,
    token: str,
    code: str,
    signed: accounts.SignedByPasskey | None,
    now: datetime,
) -> accounts.StaffSession:
    address, request_id = address_of(request), request_id_of(request)
    if signed is not None:
        return accounts.sign_in_staff_with_passkey(
            mfa_token=token, signed=signed, address=address, request_id=request_id, now=now
        )
    return accounts.sign_in_staff_with_code(
        mfa_token=token, code=code, address=address, request_id=request_id, now=now
    )


def _refused(request: HttpRequest, token: str, error: errors.DomainError) -> HttpResponse:
    if error.code == "mfa_expired":
        sessions.end(request)
        return redirect("desk:sign-in")
    try:
        new_app = _new_app(request, token)
    except errors.DomainError:
        new_app = {}
    return _shown(request, new_app, problem=error.detail, status=STATUS[type(error)])


def _page(
    request: HttpRequest, token: str, *, problem: str = "", status: int = 200
) -> HttpResponse:
    return _shown(request, _new_app(request, token), problem=problem, status=status)


def _shown(
    request: HttpRequest, new_app: dict[str, Any], *, problem: str, status: int
) -> HttpResponse:
    context = {**new_app, "problem": problem, "next": back(request)}
    return render(request, "desk/second_step.html", context, status=status)


def _asked(request: HttpRequest, token: str) -> str:
    host = passkey_forms.host_of(request)
    if not host:
        return ""
    asked = accounts.ask_for_passkey(
        token=token, address=address_of(request), host=host, now=timezone.now()
    )
    return passkey_forms.kept(request, asked) if asked else ""


def _new_app(request: HttpRequest, token: str) -> dict[str, Any]:
    """Key and picture for who has no authenticator app yet."""
    try:
        proposed = accounts.propose_totp(
            token=token, address=address_of(request), now=timezone.now()
        )
    except errors.Conflict:
        return {"passkey": _asked(request, token)}
    picture = segno.make(proposed.address, micro=False)
    groups = [proposed.secret[start : start + 4] for start in range(0, len(proposed.secret), 4)]
    data = picture.svg_data_uri(scale=4, border=2, light="white")
    return {"secret": " ".join(groups), "picture": data}
