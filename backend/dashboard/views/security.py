"""The passkeys of who sits at the desk."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from backend.accounts import services as accounts
from backend.accounts.access import not_found
from backend.accounts.models import User
from backend.dashboard import passkey_forms
from backend.dashboard.desk import Desk
from backend.dashboard.pages import desk_page


@desk_page(methods=("GET", "POST"))
def security(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Shows the passkeys; adds one, or removes the one that `remove` names."""
    if request.method == "POST":
        return _changed(request, desk)
    user, host = request.user, passkey_forms.host_of(request)
    assert isinstance(user, User)
    asked = accounts.begin_adding(user=user, host=host) if host else None
    context = {
        "desk": desk,
        "passkeys": accounts.passkeys_of(user),
        "passkey": passkey_forms.kept(request, asked) if asked else "",
    }
    return render(request, "desk/security.html", context)


def _changed(request: HttpRequest, desk: Desk) -> HttpResponse:
    if wanted := request.POST.get("remove"):
        try:
            accounts.remove_passkey(actor=desk.actor, passkey_id=UUID(wanted))
        except ValueError:
            raise not_found() from None
    else:
        name = request.POST.get("name", "").replace("\0", "").strip()
        signed = passkey_forms.sent(request) or accounts.SignedByPasskey("", {}, {})
        accounts.add_passkey(actor=desk.actor, signed=signed, name=name, now=timezone.now())
    return redirect("desk:security")
