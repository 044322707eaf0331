"""When nobody is on call: the holes between shifts. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

SHOWN = timedelta(days=14)
"""How far ahead a rota is shown with its gaps."""

Span = tuple[datetime, datetime]


def gaps(shifts: Iterable[Span], *, since: datetime, until: datetime) -> list[Span]:
    """The spans between `since` and `until` that no shift covers, in order.

    A shift holds from its first instant until just before its last one; shifts may overlap.
    """
    found: list[Span] = []
    covered_until = since
    for starts_at, ends_at in sorted(shifts):
        if starts_at >= until:
            break
        if starts_at > covered_until:
            found.append((covered_until, starts_at))
        covered_until = max(covered_until, ends_at)
    if covered_until < until:
        found.append((covered_until, until))
    return found
