"""Reads a refusal from FCM: what it means for the message, the device and the channel.

Decides by the class of the error and by the named fields of its details, never by its text.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from backend.notifications.push import Outcome, SendResult

OutcomeTable = tuple[tuple[type[Exception], Outcome], ...]

LONGEST_WAIT = timedelta(days=1)
_BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"
_TARGET_FIELDS = frozenset({"message.token", "message.fid", "token", "fid"})


def read_failure(error: Exception, *, table: OutcomeTable, now: datetime) -> SendResult:
    """The first matching row of `table`; UNKNOWN without one, as FCM may have delivered."""
    response = getattr(error, "http_response", None)
    outcome = next((o for kind, o in table if isinstance(error, kind)), Outcome.UNKNOWN)
    if outcome is Outcome.REJECTED:
        outcome = _invalid_argument(response)
    if getattr(error, "retryable", False):  # the auth library could not renew the token just now
        outcome = Outcome.UNKNOWN
    return SendResult(outcome, retry_after=_retry_after(response, now), error=type(error).__name__)


def _invalid_argument(response: Any) -> Outcome:
    """FCM answers a malformed message and a malformed target alike; the named fields tell.

    A 400 that is not in FCM's own form came from something in between and settles nothing.
    """
    refusal = _refusal(response)
    if refusal.get("status") != "INVALID_ARGUMENT":
        return Outcome.UNKNOWN
    fields = _violated_fields(refusal)
    return Outcome.TARGET_GONE if fields and fields <= _TARGET_FIELDS else Outcome.REJECTED


def _refusal(response: Any) -> Mapping[str, Any]:
    try:
        body = response.json()
    except (AttributeError, ValueError):
        return {}
    refusal = body.get("error") if isinstance(body, dict) else None
    return refusal if isinstance(refusal, dict) else {}


def _violated_fields(refusal: Mapping[str, Any]) -> frozenset[str]:
    details = refusal.get("details")
    return frozenset(
        str(violation.get("field", ""))
        for detail in (details if isinstance(details, list) else [])
        if isinstance(detail, dict) and detail.get("@type") == _BAD_REQUEST
        for violation in detail.get("fieldViolations") or []
        if isinstance(violation, dict)
    )


def _retry_after(response: Any, now: datetime) -> timedelta | None:
    """Seconds or an HTTP date (RFC 9110, 10.2.3), between nothing and a day."""
    value = str(getattr(response, "headers", {}).get("Retry-After") or "").strip()
    if value.isascii() and value.isdigit():
        return timedelta(seconds=min(int(value[:9]), LONGEST_WAIT.total_seconds()))
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    wait = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
    return min(max(wait, timedelta(0)), LONGEST_WAIT)
