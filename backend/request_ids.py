"""One id per request, in the answer's header, in every log line and in every audit row."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import uuid4

import structlog
from django.http import HttpRequest, HttpResponse

from backend.row_security import acting_as

HEADER = "X-Request-ID"
_WELL_FORMED = re.compile(r"[A-Za-z0-9-]{8,64}")


def request_id_of(request: HttpRequest) -> str:
    """The id given by the middleware; empty outside of it."""
    return getattr(request, "request_id", "")


class RequestIdMiddleware:
    """Takes a well-formed id from the caller, else makes one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = given if _WELL_FORMED.fullmatch(given) else uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        # Nobody acts until a token or a session says who, and nobody once it is answered: the
        # thread goes on to the next request.
        with structlog.contextvars.bound_contextvars(request_id=request_id), acting_as(None):
            response = self.get_response(request)
        response[HEADER] = request_id
        return response
