"""What the limits on this request leave to its caller, told in the answer's headers.

Noted where a try is counted, read where the answer is made. Fields: draft "RateLimit header fields
for HTTP" (draft-ietf-httpapi-ratelimit-headers), in the syntax of its revisions 08 and later.
"""

from __future__ import annotations

import math
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Allowance:
    """One limit: `count` tries in each `period`, of which `left` remain until `renews_in`."""

    name: str
    count: int
    period: timedelta
    left: int
    renews_in: timedelta

    @property
    def policy(self) -> str:
        return f'"{self.name}";q={self.count};w={int(self.period.total_seconds())}'

    @property
    def standing(self) -> str:
        return f'"{self.name}";r={self.left};t={math.ceil(self.renews_in.total_seconds())}'


_noted: ContextVar[tuple[Allowance, ...] | None] = ContextVar("allowances", default=None)


def begin() -> None:
    """A request begins. Without this, as in a worker, nothing is kept."""
    _noted.set(())


def note(allowance: Allowance) -> None:
    """Adds a limit to those of this request."""
    noted = _noted.get()
    if noted is not None:
        _noted.set((*noted, allowance))


def headers() -> dict[str, str]:
    """`RateLimit-Policy` and `RateLimit` for the answer; nothing when no limit was touched."""
    noted = _noted.get()
    if not noted:
        return {}
    return {
        "RateLimit-Policy": ", ".join(allowance.policy for allowance in noted),
        "RateLimit": ", ".join(allowance.standing for allowance in noted),
    }
