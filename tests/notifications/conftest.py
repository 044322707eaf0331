"""Delivery runs as the worker role and really commits: it refuses to send in a transaction."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connections

from backend.settings import _database


@pytest.fixture
def worker_db(committed_db: None) -> Iterator[None]:
    """`committed_db`, but as the worker role, in every thread."""
    before = {alias: dict(connections.settings[alias]) for alias in connections.settings}
    connections.close_all()
    for alias in before:
        connections.settings[alias].update(
            {name: _database("worker")[name] for name in ("USER", "PASSWORD")}
        )
    yield
    connections.close_all()
    for alias, values in before.items():
        connections.settings[alias].update(values)
