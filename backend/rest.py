"""What every HTTP route shares: deny by default, one shape of error, pages by cursor.

Errors are problem+json (RFC 9457) with a stable `code`. Nothing here knows the domain.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar, TypeVar

import msgspec
import structlog
from django.conf import settings
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend import allowances, errors
from backend.decoding import decode
from backend.request_ids import request_id_of

logger = structlog.get_logger(__name__)
Item = TypeVar("Item")

PROBLEM_TYPE = "application/problem+json"
READS = frozenset({"GET", "HEAD"})

_STATUS: Mapping[type[Exception], int] = {
    errors.Invalid: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Gone: 410,
    errors.TooLarge: 413,
    errors.UnsupportedMedia: 415,
    errors.PreconditionRequired: 428,
    errors.RateLimited: 429,
}


def problem_additions(request: HttpRequest) -> Mapping[str, Any]:
    """What the areas above add to every problem: the function named in `PROBLEM_ADDITIONS`."""
    added: Mapping[str, Any] = import_string(settings.PROBLEM_ADDITIONS)(request)
    return added


class HandrailView(APIView):
    """Base of every API route. `allowed_roles` maps each method to the roles that may call it."""

    allowed_roles: ClassVar[Mapping[str, frozenset[str]]] = {}

    def extend_problem(self, request: Request, problem: dict[str, Any]) -> None:
        """Lets a route add to each of its errors; the check-in routes say what was heard."""

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        allowances.begin()
        return super().initialize_request(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method in READS and request.user is not None:
            # What is read, and the row that says so, are one transaction: all of it or nothing.
            # Help that anyone may call for does not wait for a database.
            for name in ("get", "head"):
                if hasattr(self, name):
                    setattr(self, name, transaction.atomic(getattr(self, name)))

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "no-store")
        for name, value in allowances.headers().items():
            response.headers[name] = value
        return response


def problem_body(
    *, status: int, code: str, detail: str, request_id: str, **extra: Any
) -> dict[str, Any]:
    """The members of RFC 9457 and ours: `code`, `request_id`, and `errors` by field."""
    return {
        "type": f"urn:handrail:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "request_id": request_id,
        **extra,
    }


def _from_domain(error: errors.DomainError) -> tuple[int, str, str, dict[str, Any]]:
    status = next((s for kind, s in _STATUS.items() if isinstance(error, kind)), 400)
    extra: dict[str, Any] = dict(error.extra)
    if error.problems:
        extra["errors"] = [problem.as_json() for problem in error.problems]
    return status, error.code, error.detail, extra


def _from_framework(error: Exception) -> tuple[int, str, str, dict[str, Any]] | None:
    table: tuple[tuple[tuple[type[Exception], ...], int, str, str], ...] = (
        (
            (exceptions.NotAuthenticated, exceptions.AuthenticationFailed),
            401,
            "unauthenticated",
            _("Please sign in again."),
        ),
        (
            (exceptions.PermissionDenied, DjangoPermissionDenied),
            403,
            "forbidden",
            _("This account cannot do that."),
        ),
        ((Http404, exceptions.NotFound), 404, "not_found", _("There is nothing here for you.")),
        ((exceptions.MethodNotAllowed,), 405, "method_not_allowed", _("Not on this address.")),
        ((exceptions.NotAcceptable,), 406, "not_acceptable", _("Only JSON is answered.")),
        ((RequestDataTooBig,), 413, "body_too_large", _("This is too large to send.")),
        ((exceptions.UnsupportedMediaType,), 415, "json_only", _("Please send JSON.")),
        ((exceptions.ParseError,), 400, "malformed_json", _("This is not well-formed JSON.")),
        (
            (OperationalError, InterfaceError),
            503,
            "unavailable",
            _("We cannot store anything right now. Please keep this and send it again."),
        ),
    )
    for kinds, status, code, detail in table:
        if isinstance(error, kinds):
            return status, code, detail, {}
    return None


def describe(error: Exception) -> tuple[int, str, str, dict[str, Any]]:
    """Status, code, detail and extra members of any exception; unknown ones are a 500."""
    if isinstance(error, errors.DomainError):
        return _from_domain(error)
    known = _from_framework(error)
    if known is not None:
        return known
    return 500, "internal_error", _("Something went wrong on our side. Please try again."), {}


def problem_response(error: Exception, context: Mapping[str, Any]) -> Response:
    """REST framework's exception handler: every exception becomes a problem, none is shown."""
    request: Request = context["request"]
    view = context["view"]
    status, code, detail, extra = describe(error)
    if status >= 500:
        logger.error("request_failed", code=code, status=status, exc_info=error)
    problem = problem_body(
        status=status,
        code=code,
        detail=detail,
        request_id=request_id_of(request._request),
        **problem_additions(request._request),
        **extra,
    )
    if isinstance(view, HandrailView):
        view.extend_problem(request, problem)
    response = Response(problem, status=status, content_type=PROBLEM_TYPE)
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    if status == 503:
        response["Retry-After"] = "5"
    if isinstance(error, errors.RateLimited):
        response["Retry-After"] = str(math.ceil(error.retry_after.total_seconds()))
    return response


def plain_problem(request: HttpRequest, status: int, code: str, detail: str) -> HttpResponse:
    """A problem for what never reaches a view: an unknown address, a crash in middleware."""
    body = problem_body(
        status=status,
        code=code,
        detail=detail,
        request_id=request_id_of(request),
        **problem_additions(request),
    )
    return HttpResponse(
        msgspec.json.encode(body),
        status=status,
        content_type=PROBLEM_TYPE,
        headers={"Cache-Control": "no-store"},
    )


def read_body(request: Request, kind: type[Item], *, limit: int = 64 * 1024) -> Item:
    """Decodes a JSON body into a msgspec type, strictly.

    Raises `Invalid` naming the field, `TooLarge` over `limit` bytes, `UnsupportedMedia`.
    """
    if request.content_type.partition(";")[0].strip().lower() != "application/json":
        raise errors.UnsupportedMedia("json_only", _("Please send JSON."))
    raw = request._request.body
    if len(raw) > limit:
        raise errors.TooLarge("body_too_large", _("This is too large to send."))
    return decode(raw, kind)


def answer(data: object, *, status: int = 200) -> HttpResponse:
    """JSON at once, for the routes that are measured: no negotiation is left to be done."""
    return HttpResponse(msgspec.json.encode(data), status=status, content_type="application/json")


def asked_country(request: HttpRequest | Request) -> str:
    """Where the phone says it is, ISO 3166-1 alpha-2; empty when it does not say."""
    return str(request.GET.get("country", ""))[:2].upper()


def base_revision(request: Request) -> int:
    """The number in `If-Match`. Raises `PreconditionRequired` without one."""
    raw = request.headers.get("If-Match", "").strip().removeprefix("W/").strip('"')
    if not raw.isascii() or not raw.isdigit() or len(raw) > 5:
        raise errors.PreconditionRequired(
            "if_match_required", _("Say in If-Match which revision this changes.")
        )
    return int(raw)


# Pages ------------------------------------------------------------------------------------------


def encode_cursor(parts: Sequence[str]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(list(parts))).decode().rstrip("=")


def decode_cursor(cursor: str) -> list[str]:
    """Raises `Invalid` for anything this server did not hand out."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        raw = base64.b64decode(padded, altchars=b"-_", validate=True)
        return msgspec.json.decode(raw, type=list[str])
    except (msgspec.DecodeError, binascii.Error, ValueError):
        raise errors.Invalid("invalid_cursor", _("This page marker is not one of ours.")) from None


def page_size(request: Request, *, default: int = 50, largest: int = 200) -> int:
    raw = request.query_params.get("limit", str(default))
    if not raw.isascii() or not raw.isdigit() or not 1 <= int(raw[:6]) <= largest:
        raise errors.Invalid(
            "invalid_limit", _("limit is a number from 1 to %(largest)s.") % {"largest": largest}
        )
    return int(raw)


def page(
    rows: Iterable[Item],
    *,
    size: int,
    show: Callable[[Item], Any],
    cursor_of: Callable[[Item], Sequence[str]],
) -> dict[str, Any]:
    """`rows` holds up to size + 1 items; one more than `size` means that there is a next page."""
    items = list(rows)
    more = len(items) > size
    items = items[:size]
    return {
        "results": [show(item) for item in items],
        "next_cursor": encode_cursor(cursor_of(items[-1])) if more else None,
    }
