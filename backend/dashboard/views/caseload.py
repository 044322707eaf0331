"""The caseload: who needs someone first, and why."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from backend.dashboard.caseload_page import show_caseload
from backend.dashboard.desk import Desk
from backend.dashboard.pages import desk_page, is_htmx
from backend.dashboard.services import read_caseload

LONGEST_SEARCH = 100
SHOWN = "caseload_shown"


# Names that somebody looks for travel in the body: an address would keep them in the history.
@desk_page(methods=("GET", "POST"))
def caseload(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The whole page, or for the search box the list alone."""
    return _show(request, desk, is_refresh=False)


@desk_page(methods=("POST",), renews=False)
def refresh(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The list again, as the page asks for it every half minute."""
    return _show(request, desk, is_refresh=True)


def _show(request: HttpRequest, desk: Desk, *, is_refresh: bool) -> HttpResponse:
    wanted = request.POST.get("wanted", "")[:LONGEST_SEARCH]
    before = request.session.get(SHOWN)
    record = read_caseload(desk, shown_before=before if is_refresh else None)
    if record.mark != before:
        request.session[SHOWN] = record.mark
    page = show_caseload(record, desk, wanted=wanted)
    context = {"desk": desk, "page": page, "wanted": wanted}
    part = is_htmx(request)
    return render(request, "desk/caseload_list.html" if part else "desk/caseload.html", context)
