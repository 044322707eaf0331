"""`/healthz`: this process answers. `/readyz`: it also reaches a database that fits it.

`/readyz` tells how delivery is doing as well, and is ready all the same: phones must be able to
hand in what people write, above all while nobody is being told.
"""

from __future__ import annotations

import sys
from functools import cache

import structlog
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from backend.operations.selectors import delivery_state
from backend.rest import plain_problem

logger = structlog.get_logger(__name__)


def healthz(_request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok"})


def readyz(_request: HttpRequest) -> HttpResponse:
    try:
        require_migrations()
        delivery = delivery_state(now=timezone.now())
    except NotMigratedError:
        return JsonResponse({"status": "not_migrated"}, status=503)
    except DatabaseError:
        return JsonResponse({"status": "database_unreachable"}, status=503)
    return JsonResponse({"status": "ok", "delivery": delivery})


class NotMigratedError(Exception):
    """The tables are older than this program."""


@cache
def require_migrations() -> None:
    """Raises `NotMigratedError` until every migration is applied; from then on it asks no more."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise NotMigratedError


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Unknown addresses: a problem under `/api/`, plain words elsewhere."""
    if request.path.startswith("/api/"):
        return plain_problem(request, 404, "not_found", "There is nothing here for you.")
    return HttpResponse("Not found", status=404, content_type="text/plain")


def server_error(request: HttpRequest) -> HttpResponse:
    """What went wrong outside of any view."""
    logger.error("request_failed", status=500, exc_info=sys.exc_info()[1])
    return plain_problem(request, 500, "internal_error", "Something went wrong on our side.")
