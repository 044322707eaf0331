"""How the server answers: well, or in one of the ways FCM is known to fail."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any


class Mode(StrEnum):
    """What comes back for a well-formed message. HANG and RESET answer nothing at all."""

    OK = "ok"
    UNREGISTERED = "unregistered"
    SENDER_MISMATCH = "sender_mismatch"
    UNAUTHENTICATED = "unauthenticated"
    PERMISSION_DENIED = "permission_denied"
    THIRD_PARTY_AUTH = "third_party_auth"
    NOT_FOUND = "not_found"
    QUOTA = "quota"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"
    UNAVAILABLE_BUT_DELIVERED = "unavailable_but_delivered"
    INVALID_ARGUMENT = "invalid_argument"
    INVALID_TARGET = "invalid_target"
    GARBAGE = "garbage"
    HANG = "hang"
    RESET = "reset"

    @property
    def delivers(self) -> bool:
        """Whether the phone sees the message, whatever the sender is told."""
        return self in {Mode.OK, Mode.UNAVAILABLE_BUT_DELIVERED}


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One rule: `target` empty means every target, `times` None means until it is replaced.

    `retry_after` in seconds goes out as the header of that name; `latency_ms` delays the answer.
    Raises ValueError for a negative number or zero times.
    """

    mode: Mode = Mode.OK
    target: str = ""
    times: int | None = None
    retry_after: int | None = None
    latency_ms: int = 0

    def __post_init__(self) -> None:
        if self.times is not None and self.times < 1:
            raise ValueError("times must be at least 1")
        if self.latency_ms < 0 or (self.retry_after or 0) < 0:
            raise ValueError("latency_ms and retry_after must not be negative")

    def as_json(self) -> dict[str, Any]:
        """The form `PUT /behaviour` takes."""
        return asdict(self)


class Behaviours:
    """The rules in force, at most one for each target and one for all others. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: dict[str, Behaviour] = {}

    def set(
        self,
        mode: Mode | str,
        *,
        target: str = "",
        times: int | None = None,
        retry_after: int | None = None,
        latency_ms: int = 0,
    ) -> Behaviour:
        """Replaces the rule for `target`. Raises ValueError for an unknown mode."""
        rule = Behaviour(Mode(mode), target, times, retry_after, latency_ms)
        with self._lock:
            self._rules[target] = rule
        return rule

    def clear(self) -> None:
        """Everything answers well again."""
        with self._lock:
            self._rules.clear()

    def listed(self) -> list[Behaviour]:
        """The rules in force."""
        with self._lock:
            return list(self._rules.values())

    def take(self, target: str) -> Behaviour:
        """The rule for one message, its own target's first; counts it down."""
        with self._lock:
            key = target if target in self._rules else ""
            rule = self._rules.get(key, Behaviour())
            if rule.times is not None:
                if rule.times == 1:
                    del self._rules[key]
                else:
                    self._rules[key] = replace(rule, times=rule.times - 1)
            return rule


_FIELDS: Mapping[str, type] = {
    "mode": str,
    "target": str,
    "times": int,
    "retry_after": int,
    "latency_ms": int,
}


def behaviour_arguments(body: object) -> dict[str, Any]:
    """The arguments of `Behaviours.set` in a request's JSON. Raises ValueError."""
    if not isinstance(body, dict) or "mode" not in body:
        raise ValueError("expected an object with a mode")
    given = {name: value for name, value in body.items() if value is not None}
    for name, value in given.items():
        expected = _FIELDS.get(name)
        if expected is None:
            raise ValueError(f"unknown field {name}")
        if type(value) is not expected:
            raise ValueError(f"{name} must be of type {expected.__name__}")
    return given
