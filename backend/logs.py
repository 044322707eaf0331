"""Structured logs by allow-list: what is not named here does not reach a log line.

A field that nobody thought about may hold a note or a phone number, so the default is to drop
it. Messages of exceptions are dropped as well (they quote what was sent); class and place stay.
"""

from __future__ import annotations

import logging
import logging.config
import traceback
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog
from django.conf import settings

ALLOWED_FIELDS = frozenset(
    {
        "event", "level", "logger", "timestamp", "request_id", "job", "channel", "count",
        "duration_ms", "status", "method", "route", "code", "outcome", "error", "where",
        "process", "attempts", "claimed", "settled", "address", "period_s", "patient_id",
        "notification_id", "alert_id", "breaker", "seal", "root",
    }
)  # fmt: skip


def _where(error: BaseException) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    return [f"{frame.filename}:{frame.lineno}:{frame.name}" for frame in frames]


def describe_exception(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Replaces an exception by its class and place."""
    info = event.pop("exc_info", None)
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["where"] = _where(error)
    return event


def keep_allowed(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> Mapping[str, Any]:
    """Drops every field that is not on the list."""
    return {key: value for key, value in event.items() if key in ALLOWED_FIELDS}


class _ForeignFormatter(structlog.stdlib.ProcessorFormatter):
    """Log lines of libraries: the unformatted message alone, because arguments carry data."""

    def format(self, record: logging.LogRecord) -> str:
        if not isinstance(record.msg, dict):
            record.args = ()
        return super().format(record)


def without_request(record: logging.LogRecord) -> bool:
    """Takes out of the web server's own warnings what a request said: it quotes broken ones.

    Numbers stay (a process, a signal); of an exception its class stays.
    """
    if record.levelno >= logging.WARNING:
        if isinstance(record.msg, str) and record.msg.startswith("Invalid request"):
            record.msg, record.args = "Invalid request", ()
        if isinstance(record.args, tuple):
            record.args = tuple(
                part if isinstance(part, int | float) else "..." for part in record.args
            )
        if record.exc_info and record.exc_info[0] is not None:
            record.msg, record.exc_info = f"{record.msg} ({record.exc_info[0].__name__})", None
    return True


def configure(_config: object = None) -> None:
    """Called by Django at start. JSON lines on standard error."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Any] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        describe_exception,
        keep_allowed,
        structlog.processors.JSONRenderer(),
    ]
    handler = logging.StreamHandler()
    handler.setFormatter(_ForeignFormatter(foreign_pre_chain=shared, processors=last))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.LOG_LEVEL)
    # Redis' and Celery's own lines at INFO are many and say nothing that the jobs' lines do not.
    for name in ("celery", "kombu", "amqp", "httpx", "urllib3"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # gunicorn writes through handlers of its own.
    logging.getLogger("gunicorn.error").addFilter(without_request)
    # Refusals are the client's business, and our own handler logs what failed on our side.
    logging.getLogger("django.request").setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
