"""FCM's answers, good and bad, in the form of the HTTP v1 API.

Source: FCM reference, "ErrorCode" and "FcmError"; Google's error model (google.rpc.Status).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from local.fcm.behaviour import Behaviour, Mode

_TYPES = "type.googleapis.com"
_JSON = {"Content-Type": "application/json; charset=UTF-8"}


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def as_json(
    value: object, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Answer:
    """`value` as a JSON answer."""
    return Answer(status, json.dumps(value).encode(), {**_JSON, **(headers or {})})


def refusal(
    status: int, name: str, message: str, details: Sequence[Mapping[str, Any]] = ()
) -> Answer:
    """Google's error form; `name` is the canonical code, as in NOT_FOUND."""
    error: dict[str, Any] = {"code": status, "message": message, "status": name}
    if details:
        error["details"] = list(details)
    return as_json({"error": error}, status=status)


def invalid(violations: Mapping[str, str], *, fcm_code: bool = True) -> Answer:
    """400, naming each wrong field and what is wrong with it."""
    fields = [{"field": name, "description": why} for name, why in violations.items()]
    details: list[Mapping[str, Any]] = [
        {"@type": f"{_TYPES}/google.rpc.BadRequest", "fieldViolations": fields}
    ]
    if fcm_code:
        details.insert(0, _fcm("INVALID_ARGUMENT"))
    return refusal(400, "INVALID_ARGUMENT", "; ".join(violations.values()), details)


def no_credentials() -> Answer:
    """401, as for a request without an access token."""
    reason = {
        "@type": f"{_TYPES}/google.rpc.ErrorInfo",
        "reason": "CREDENTIALS_MISSING",
        "domain": "googleapis.com",
    }
    return refusal(401, "UNAUTHENTICATED", "Request is missing an access token.", [reason])


def wrong_project() -> Answer:
    """403, as for a project the credentials do not belong to."""
    return refusal(403, "PERMISSION_DENIED", "Permission denied on this project.")


def accepted(project: str) -> tuple[str, Answer]:
    """A new message name and the answer that carries it."""
    name = f"projects/{project}/messages/{secrets.token_hex(12)}"
    return name, as_json({"name": name})


def failing(rule: Behaviour, target_kind: str) -> Answer:
    """The answer for a rule whose mode is neither OK, HANG nor RESET."""
    if rule.mode is Mode.INVALID_TARGET:
        field_name = f"message.{target_kind}"
        answer = invalid({field_name: "The target is not valid."})
    elif rule.mode is Mode.GARBAGE:
        answer = Answer(
            200, b"<!doctype html>\xff<p>not what was asked for", {"Content-Type": "text/html"}
        )
    else:
        answer = _REFUSALS[rule.mode]
    if rule.retry_after is None:
        return answer
    headers = {**answer.headers, "Retry-After": str(rule.retry_after)}
    return Answer(answer.status, answer.body, headers)


def _fcm(code: str) -> Mapping[str, Any]:
    return {"@type": f"{_TYPES}/google.firebase.fcm.v1.FcmError", "errorCode": code}


_UNAVAILABLE = refusal(
    503, "UNAVAILABLE", "The service is currently unavailable.", [_fcm("UNAVAILABLE")]
)
_REFUSALS: Mapping[Mode, Answer] = {
    Mode.UNREGISTERED: refusal(
        404, "NOT_FOUND", "Requested entity was not found.", [_fcm("UNREGISTERED")]
    ),
    Mode.SENDER_MISMATCH: refusal(
        403, "PERMISSION_DENIED", "SenderId mismatch", [_fcm("SENDER_ID_MISMATCH")]
    ),
    Mode.UNAUTHENTICATED: refusal(401, "UNAUTHENTICATED", "Invalid authentication credentials."),
    Mode.PERMISSION_DENIED: wrong_project(),
    Mode.THIRD_PARTY_AUTH: refusal(
        401, "UNAUTHENTICATED", "Auth error from APNS", [_fcm("THIRD_PARTY_AUTH_ERROR")]
    ),
    Mode.NOT_FOUND: refusal(404, "NOT_FOUND", "Requested entity was not found."),
    Mode.QUOTA: refusal(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", [_fcm("QUOTA_EXCEEDED")]),
    Mode.UNAVAILABLE: _UNAVAILABLE,
    Mode.UNAVAILABLE_BUT_DELIVERED: _UNAVAILABLE,
    Mode.INTERNAL: refusal(500, "INTERNAL", "Internal error.", [_fcm("INTERNAL")]),
    Mode.INVALID_ARGUMENT: invalid({"message.android.ttl": "Invalid TTL."}),
}
