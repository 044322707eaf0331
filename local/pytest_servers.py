"""A pytest plugin that boots throw-away servers before Django's settings are read.

Loaded with ``-p local.pytest_servers``. One PostgreSQL and one Valkey serve the whole run; each
pytest-xdist worker has its own database in both. Servers named in the environment are used
instead: DATABASE_OWNER_URL, DATABASE_URL and DATABASE_WORKER_URL together, REDIS_URL alone.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from local.launch import LaunchError
from local.postgres import OWNER, WEB, WORKER, create_database, restrict_database
from local.throw_away import ThrowAwayServers

PREFIX = "handrail_test_"
"""What the name of every database begins with that tests may drop."""

DATABASE_VARIABLES = {
    OWNER: "DATABASE_OWNER_URL",
    WEB: "DATABASE_URL",
    WORKER: "DATABASE_WORKER_URL",
}
NO_BROKER = ("", "none")
_WORKER_ID = "PYTEST_XDIST_WORKER"


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """How each of the three roles reaches one database."""

    owner: str
    web: str
    worker: str


def database_name(environment: Mapping[str, str] = os.environ) -> str:
    """The database of this process: ``handrail_test_gw0`` in xdist's first worker, else ..._main.

    It is named in DATABASE_URL and its two companions, but not created.
    """
    return PREFIX + environment.get(_WORKER_ID, "main")


def create_empty_database(name: str) -> DatabaseUrls:
    """Create a database of the owner's, which web and worker may enter; an old one is dropped.

    ``name`` begins with ``handrail_test_``, or ValueError is raised: nobody loses real data to
    a mistaken variable. Sessions still open on the old one are ended.
    """
    if not name.startswith(PREFIX):
        raise ValueError(f"{name!r} does not begin with {PREFIX!r}")
    given = {role: os.environ[variable] for role, variable in DATABASE_VARIABLES.items()}
    with psycopg.connect(with_path(given[OWNER], "postgres"), autocommit=True) as connection:
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        connection.execute(drop)
        create_database(connection, name)
    urls = {role: with_path(url, name) for role, url in given.items()}
    users = tuple(urlsplit(given[role]).username or role for role in (WEB, WORKER))
    with psycopg.connect(urls[OWNER], autocommit=True) as connection:
        restrict_database(connection, name, users=users)
    return DatabaseUrls(owner=urls[OWNER], web=urls[WEB], worker=urls[WORKER])


def with_path(url: str, path: str) -> str:
    """The same server, another database."""
    return urlsplit(url)._replace(path=f"/{path}").geturl()


def own_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """The server variables of this process: its own database and its own broker number."""
    own = {
        variable: with_path(environment[variable], database_name(environment))
        for variable in DATABASE_VARIABLES.values()
    }
    if environment["REDIS_URL"] not in NO_BROKER:
        own["REDIS_URL"] = with_path(environment["REDIS_URL"], str(_broker_number(environment)))
    return own


def _broker_number(environment: Mapping[str, str]) -> int:
    worker_id = environment.get(_WORKER_ID)
    return 0 if worker_id is None else 1 + int(worker_id.removeprefix("gw"))


def _boot_missing(environment: Mapping[str, str]) -> tuple[ThrowAwayServers, dict[str, str]]:
    given = [name for name in DATABASE_VARIABLES.values() if name in environment]
    if given and len(given) < len(DATABASE_VARIABLES):
        wanted = ", ".join(DATABASE_VARIABLES.values())
        raise LaunchError(f"{given[0]} is set, but tests need {wanted}, or none of them.")
    no_broker = "REDIS_URL" not in environment
    booted = ThrowAwayServers(environment, postgres=not given, valkey=no_broker)
    variables: dict[str, str] = {}
    if not given:
        address = booted.postgres.address
        variables = {name: address.url(role) for role, name in DATABASE_VARIABLES.items()}
    if no_broker:
        variables["REDIS_URL"] = booted.valkey.url()
    return booted, variables


# A wrapper runs before every plain implementation, so before pytest-django reads the settings.
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    """Boot servers (in the process that was started first) and point the environment at them."""
    if _WORKER_ID not in os.environ and not early_config.known_args_namespace.help:
        try:
            booted, variables = _boot_missing(os.environ)
        except LaunchError as error:
            raise pytest.UsageError(str(error)) from error
        early_config.add_cleanup(booted.close)
        os.environ.update(variables)
    if "REDIS_URL" in os.environ:
        os.environ.update(own_variables(os.environ))
    os.environ["HANDRAIL_ENV"] = "test"
    os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(48))
    os.environ.setdefault("PATIENT_KEYS", f"tests:{secrets.token_urlsafe(32)}")
    return (yield)
