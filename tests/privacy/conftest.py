"""The sealing job runs as the worker role; the others may not write a seal."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg
import pytest
from django.db import connections
from pytest_django.fixtures import Settings

from tests.conftest import owner_connection
from tests.people import People
from tests.phones import Phone
from tests.privacy.leaving import ask, live_a_little, make_due, resolve


@pytest.fixture
def as_worker(committed_db: None) -> Iterator[None]:
    """This process connects as the worker role, until the test ends."""
    with connected_as("DATABASE_WORKER_URL"):
        yield


@contextmanager
def connected_as(variable: str) -> Iterator[None]:
    """This process connects as the role of that variable."""
    address = urlsplit(os.environ[variable])
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


@pytest.fixture
def asked(committed_db: None, people: People, as_worker: None) -> Iterator[Phone]:
    """Alice has lived a little, and wants to be erased; her days of grace are over."""
    phone = live_a_little(people.patient)
    live_a_little(people.other_patient)
    resolve(people, people.patient)
    assert ask(phone).status_code == 201
    make_due()
    yield phone
