"""The page behind a support contact's link: no sign-in, no session, no script.

An unknown, an ended and an expired link look the same. Reading changes nothing, so that whatever
looks at a link before a person does says nothing for them.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods as require

from backend import errors
from backend.accounts.api.signing_in import address_of
from backend.aftercare import services as aftercare
from backend.aftercare.contact_page import ContactPage, open_link, words
from backend.aftercare.texts import LANGUAGES
from backend.privacy.services import note_shown_to_contact

ANSWERS = ("yes", "no", "withdrawn")
LONGEST_LINK = 64


# The link is all there is to forge with: whoever has it may answer.
@csrf_exempt
@never_cache
@require(["GET", "HEAD", "POST"])
def page(request: HttpRequest, link: str) -> HttpResponse:
    """What is asked, yes or no, what they are told, and the way to stop."""
    now, wanted = timezone.now(), request.GET.get("language", "")
    language = wanted if wanted in LANGUAGES else ""
    try:
        if request.method == "POST":
            return _answer(request, link[:LONGEST_LINK], language)
        found = open_link(
            link=link[:LONGEST_LINK], language=language, address=address_of(request), now=now
        )
    except errors.RateLimited:
        return _page(request, None, language, status=429, said="too_often")
    if found is None:
        return _page(request, None, language, status=404, said="gone")
    note_shown_to_contact(
        patient_id=found.contact.patient_id,
        contact_id=found.contact.pk,
        shown=[(one.message_id, one.scope, one.at) for one in found.told if one.scope],
        now=now,
    )
    return _page(request, found, language)


def _answer(request: HttpRequest, link: str, language: str) -> HttpResponse:
    answer = request.POST.get("answer", "")
    invitation = None
    if answer in ANSWERS:
        invitation = aftercare.answer_link(
            link=link, answer=answer, address=address_of(request), now=timezone.now()
        )
    if invitation is None:
        return _page(request, None, language, status=404, said="gone")
    if invitation.ended_at is not None:
        return _page(request, None, language, said="stopped")
    response = redirect(request.get_full_path())
    _guard(response)
    return response


def _page(
    request: HttpRequest,
    found: ContactPage | None,
    language: str,
    *,
    status: int = 200,
    said: str = "",
) -> HttpResponse:
    spoken = language or (found.language if found else _of_browser())
    fixed = words(spoken)
    shown = {
        "page": found,
        "words": fixed,
        "said": fixed[said] if said else "",
        "language": spoken,
        "languages": [(code, code.upper()) for code in LANGUAGES],
    }
    with translation.override(spoken):
        response = render(request, "contact/page.html", shown, status=status)
    _guard(response)
    return response


def _of_browser() -> str:
    spoken = (translation.get_language() or "").split("-")[0]
    return spoken if spoken in LANGUAGES else LANGUAGES[0]


def _guard(response: HttpResponse) -> None:
    """The address is the key: it is told to no other site and kept by no index."""
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
