"""Every address of the API, ready to be called."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from django.urls import get_resolver

from backend.checks.routes import API_PREFIX, methods_of, routes

# The test client adds json() to its answers while running; no public type has it.
Answer = Any
NOBODY = UUID("00000000-0000-4000-8000-000000000000")


@dataclass(frozen=True)
class Route:
    """`pattern` is Django's; `path` can be called and names nobody; `answered` in capitals."""

    pattern: str
    answered: frozenset[str]

    @property
    def path(self) -> str:
        path = re.sub(r"<uuid:\w+>", str(NOBODY), f"/{self.pattern}")
        assert "<" not in path, f"{self.pattern} has a parameter of another kind"
        return path

    @property
    def documented(self) -> str:
        return re.sub(r"<\w+:(\w+)>", r"{\1}", f"/{self.pattern}")


@cache
def api_routes() -> tuple[Route, ...]:
    """All that is below `/api/`."""
    return tuple(
        Route(pattern, frozenset(methods_of(callback.cls)))
        for pattern, callback in routes(get_resolver())
        if pattern.startswith(API_PREFIX)
    )
