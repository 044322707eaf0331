"""The sealing job runs as the worker role; the others may not write a seal."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg
import pytest
from django.db import connections
from pytest_django.fixtures import Settings

from tests.conftest import owner_connection
from tests.people import People
from tests.phones import Phone


@pytest.fixture
def as_worker(committed_db: None) -> Iterator[None]:
    """This process connects as the worker role, until the test ends."""
    address = urlsplit(os.environ["DATABASE_WORKER_URL"])
    role = {"USER": address.username, "PASSWORD": unquote(address.password or "")}
    default = connections["default"]
    before = {name: default.settings_dict[name] for name in role}
    default.close()
    default.settings_dict.update(role)
    yield
    default.close()
    default.settings_dict.update(before)


@pytest.fixture
def roots(tmp_path: Path, settings: Settings) -> Path:
    """Where the roots go in this test."""
    path = tmp_path / "audit.roots"
    settings.AUDIT_ROOTS_FILE = str(path)
    return path


@pytest.fixture
def owner() -> Iterator[psycopg.Connection]:
    """The owner of the tables, in a transaction that is never committed."""
    with owner_connection() as connection:
        connection.autocommit = False
        yield connection
        connection.rollback()


@pytest.fixture
def office(people: People) -> Phone:
    return Phone.of(people.administrator.user)
