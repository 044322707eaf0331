"""Spans of what this process does, where somebody collects them: names, ids and counts alone.

Nothing a person wrote, no body, no address with its values, no statement: a span's attributes are
given here and nowhere taken from a library. Without `OTEL_EXPORTER_OTLP_ENDPOINT` there is no
span and nothing of OpenTelemetry is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from backend.request_ids import request_id_of

Attribute = str | int | Sequence[str]


@contextmanager
def span(name: str, attributes: Mapping[str, Attribute] | None = None) -> Iterator[Any]:
    """One span around what happens inside; yields it, or None where nobody collects.

    An error marks it with the name of its class; its text may repeat what a person wrote.
    """
    if not settings.OTLP_ENDPOINT:
        yield None
        return
    with tracer().start_as_current_span(
        name, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield current
        except BaseException as error:
            current.set_attribute("error.type", type(error).__name__)
            raise


@cache
def tracer() -> Any:
    """Made at the first span, and so in the process that works and not in the one that forks."""
    service = f"handrail-{settings.DATABASE_ROLE}"
    return import_module("backend.otlp").tracer(settings.OTLP_ENDPOINT, service=service)


class TracingMiddleware:
    """A span a request, named by its route: never by the address, which holds ids and words."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        method = request.method if request.method in _METHODS else "_OTHER"
        with span(str(method), {"http.request.method": str(method)}) as current:
            response = self.get_response(request)
            if current is not None:
                match = request.resolver_match
                route = f"/{match.route}" if match is not None else "unknown"
                current.update_name(f"{method} {route}")
                current.set_attributes(
                    {
                        "http.route": route,
                        "http.response.status_code": response.status_code,
                        "handrail.request_id": request_id_of(request),
                    }
                )
        return response


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
