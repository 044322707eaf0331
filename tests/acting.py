"""Threads and sessions in which somebody acts. A new thread acts as nobody, a new session too."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextvars import copy_context
from typing import ParamSpec, TypeVar

import psycopg

P = ParamSpec("P")
T = TypeVar("T")


def carried(call: Callable[P, T]) -> Callable[P, T]:
    """The same, acting in any one thread as whoever acts here and now."""
    context = copy_context()

    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return context.copy().run(call, *args, **kwargs)

    return run


def system_session(variable: str, *, autocommit: bool = False) -> psycopg.Connection:
    """A connection of the role that this variable names, in which the system acts throughout."""
    session = psycopg.connect(os.environ[variable], autocommit=True)
    session.execute("SET handrail.role = 'system'")
    session.autocommit = autocommit
    return session
