"""Middleware that pages need and the API does not: files, sessions, forms, messages, page headers.

A phone's request carries a bearer token, answers JSON and is measured; it goes past them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from csp.middleware import CSPMiddleware
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from whitenoise.middleware import WhiteNoiseMiddleware

API_PREFIX = "/api/v1/"
# The first sees a request first. API views are exempt from the check of forms by themselves: a
# bearer token is never sent by a browser unasked.
_FOR_PAGES: Sequence[type[Any]] = (
    WhiteNoiseMiddleware,
    SessionMiddleware,
    CsrfViewMiddleware,
    AuthenticationMiddleware,
    MessageMiddleware,
    XFrameOptionsMiddleware,
    CSPMiddleware,
)


class PagesOnly:
    """All of them in one place of the list, left out for the API in one look."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._api = self._pages = get_response
        made: list[Any] = []
        for kind in reversed(_FOR_PAGES):
            self._pages = kind(self._pages)
            made.insert(0, self._pages)
        self._views = [each.process_view for each in made if hasattr(each, "process_view")]

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return (self._api if _is_api(request) else self._pages)(request)

    def process_view(
        self,
        request: HttpRequest,
        view: Callable[..., Any],
        arguments: Sequence[Any],
        named: Mapping[str, Any],
    ) -> HttpResponse | None:
        """An answer instead of the view's, from the first of them that has one."""
        if _is_api(request):
            return None
        found = (each(request, view, arguments, named) for each in self._views)
        return next((answer for answer in found if answer is not None), None)


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith(API_PREFIX)
