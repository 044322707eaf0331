"""Refuses to start what is configured unsafely. Django runs no checks under a web server."""

from __future__ import annotations

import structlog
from django.conf import settings
from django.core.checks import CheckMessage, Tags, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connections

logger = structlog.get_logger(__name__)

# What the checks are registered under.
ENVIRONMENT = "handrail_environment"
ROUTES = "handrail_routes"
CONTENT = "handrail_content"


class UnsafeConfiguration(ImproperlyConfigured):
    """What is wrong, with ids and hints, one line each."""


def refuse_when_unsafe(*, serves_http: bool) -> None:
    """Raises `UnsafeConfiguration` on any error of `backend.checks`; logs the warnings' ids.

    In production the database is asked as well. One that does not answer is no reason to refuse:
    a restart of the database must not keep the rest from coming back.
    """
    found = run_checks(tags=[ENVIRONMENT, CONTENT, *([ROUTES] if serves_http else [])])
    if not any(message.is_serious() for message in found) and settings.IS_PRODUCTION:
        found += _ask_database()
    for message in found:
        if not message.is_serious():
            logger.warning("unsafe_configuration", code=message.id)
    errors = [message for message in found if message.is_serious()]
    if errors:
        raise UnsafeConfiguration("\n".join(["not started", *map(_line, errors)]))


def exit_when_unsafe(*, serves_http: bool) -> None:
    """The same for a process of its own: SystemExit, which no library catches on the way."""
    try:
        refuse_when_unsafe(serves_http=serves_http)
    except UnsafeConfiguration as error:
        raise SystemExit(str(error)) from None


def _ask_database() -> list[CheckMessage]:
    try:
        return run_checks(tags=[Tags.database], databases=["default"])
    except OperationalError:
        logger.warning("unsafe_configuration", code="database_unreachable")
        return []
    finally:
        # A server that forks after loading must not share this connection with its children.
        connections["default"].close()


def _line(message: CheckMessage) -> str:
    return f"{message.id}: {message.msg} {message.hint or ''}".rstrip()
