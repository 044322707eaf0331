"""What FCM would refuse in a message, and two limits that only the phone's maker would.

Source: FCM HTTP v1 reference, `projects.messages`; RFC 8030 section 5.4 (Topic); Apple's limit of
64 bytes for apns-collapse-id.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

TARGETS = ("token", "fid", "topic", "condition")
LARGEST_PAYLOAD = 4096
LONGEST_COLLAPSE_ID = 64

_MESSAGE = frozenset(
    {"name", "data", "notification", "android", "webpush", "apns", "fcm_options", *TARGETS}
)
_NOTIFICATION = frozenset({"title", "body", "image"})
_ANDROID = frozenset(
    {"collapse_key", "priority", "ttl", "restricted_package_name", "data", "notification"}
    | {"fcm_options", "direct_boot_ok", "bandwidth_constrained_ok", "restricted_satellite_ok"}
)
_APNS = frozenset({"headers", "payload", "fcm_options", "live_activity_token"})
_WEBPUSH = frozenset({"headers", "data", "notification", "fcm_options"})
_PARTS = {
    "notification": _NOTIFICATION,
    "android": _ANDROID,
    "apns": _APNS,
    "webpush": _WEBPUSH,
}
_RESERVED_DATA = re.compile(r"from|message_type|google.*|gcm.*")
_DURATION = re.compile(r"(\d{1,12})(\.\d{1,9})?s")
_FOUR_WEEKS = 28 * 24 * 3600
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}")

Violations = Iterator[tuple[str, str]]


def violations(body: object) -> dict[str, str]:
    """The wrong fields of a send request, each with what is wrong; empty when it is well-formed."""
    if not isinstance(body, dict) or not isinstance(body.get("message"), dict):
        return {"message": "Message is required."}
    found = dict(_unknown("", body, frozenset({"message", "validate_only"})))
    message = body["message"]
    found |= dict(_unknown("message.", message, _MESSAGE))
    found |= dict(_target(message))
    found |= dict(_strings("message.data", message.get("data")))
    found |= dict(_reserved(message.get("data")))
    found |= dict(_parts(message))
    if not found:
        found |= dict(_limits(message))
    return found


def target_of(message: Mapping[str, Any]) -> tuple[str, str]:
    """The kind and the value of the target of a well-formed message."""
    return next((kind, str(message[kind])) for kind in TARGETS if message.get(kind) is not None)


def collapse_id_of(message: Mapping[str, Any]) -> str:
    """What a phone goes by to replace an earlier message; empty when there is nothing."""
    return str(
        _part(message, "android").get("collapse_key")
        or _headers(message, "apns").get("apns-collapse-id")
        or _headers(message, "webpush").get("Topic")
        or ""
    )


def _part(message: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A part of a message; null counts as absent, as in FCM."""
    return message.get(name) or {}


def _headers(message: Mapping[str, Any], name: str) -> Mapping[str, str]:
    return _part(message, name).get("headers") or {}


def _unknown(prefix: str, part: Mapping[str, Any], known: frozenset[str]) -> Violations:
    for name in part:
        if name not in known:
            yield prefix + name, f"Unknown name {name}: cannot find field."


def _target(message: Mapping[str, Any]) -> Violations:
    present = [kind for kind in TARGETS if message.get(kind) is not None]
    if len(present) != 1:
        yield "message", "Exactly one of token, fid, topic or condition is required."
    elif not isinstance(message[present[0]], str) or not message[present[0]]:
        yield f"message.{present[0]}", "The target is not valid."


def _strings(name: str, value: object) -> Violations:
    if value is None:
        return
    if not isinstance(value, dict):
        yield name, "Expected an object."
        return
    for key, item in value.items():
        if not isinstance(item, str):
            yield f"{name}.{key}", "Values must be strings."


def _reserved(data: object) -> Violations:
    for key in data if isinstance(data, dict) else ():
        if _RESERVED_DATA.fullmatch(key):
            yield f"message.data.{key}", "This key is reserved."


def _parts(message: Mapping[str, Any]) -> Violations:
    for name, known in _PARTS.items():
        part = message.get(name)
        if part is None:
            continue
        if not isinstance(part, dict):
            yield f"message.{name}", "Expected an object."
            continue
        yield from _unknown(f"message.{name}.", part, known)
        yield from _strings(f"message.{name}.headers", part.get("headers"))
    if isinstance(message.get("notification"), dict):
        yield from _strings("message.notification", message["notification"])


def _limits(message: Mapping[str, Any]) -> Violations:
    android = _part(message, "android")
    if str(android.get("priority") or "normal").lower() not in {"normal", "high"}:
        yield "message.android.priority", "Invalid value."
    if android.get("ttl") is not None and not _good_duration(android["ttl"]):
        yield "message.android.ttl", "Invalid TTL."
    if _size(_headers(message, "apns").get("apns-collapse-id", "")) > LONGEST_COLLAPSE_ID:
        yield "message.apns.headers.apns-collapse-id", "Longer than 64 bytes."
    topic = _headers(message, "webpush").get("Topic")
    if topic is not None and not _TOPIC.fullmatch(topic):
        yield "message.webpush.headers.Topic", "Not 1 to 32 URL-safe base64 characters."
    shown = {name: message.get(name) for name in ("notification", "data")}
    if _size(json.dumps(shown, ensure_ascii=False)) > LARGEST_PAYLOAD:
        yield "message", "The payload is too big."


def _size(text: str) -> int:
    return len(text.encode(errors="surrogatepass"))


def _good_duration(value: object) -> bool:
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    return match is not None and int(match[1]) <= _FOUR_WEEKS
