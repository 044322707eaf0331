"""`/healthz`: this process answers. `/readyz`: it also reaches the database."""

from __future__ import annotations

import sys

import structlog
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from backend.rest import plain_problem

logger = structlog.get_logger(__name__)


def healthz(_request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok"})


def readyz(_request: HttpRequest) -> HttpResponse:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"status": "database_unreachable"}, status=503)
    return JsonResponse({"status": "ok"})


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Unknown addresses: a problem under `/api/`, plain words elsewhere."""
    if request.path.startswith("/api/"):
        return plain_problem(request, 404, "not_found", "There is nothing here for you.")
    return HttpResponse("Not found", status=404, content_type="text/plain")


def server_error(request: HttpRequest) -> HttpResponse:
    """What went wrong outside of any view."""
    logger.error("request_failed", status=500, exc_info=sys.exc_info()[1])
    return plain_problem(request, 500, "internal_error", "Something went wrong on our side.")
