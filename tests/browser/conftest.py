"""A real browser over the running pages, with the demo's people, fresh for every test."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page
from psycopg import sql

from bench.web import Database, fill, served
from local.postgres import restrict_database
from local.pytest_servers import create_empty_database, database_name, with_path
from tests.conftest import lacking

HERE = Path(__file__).parent
ROLE_URLS = ("DATABASE_URL", "DATABASE_WORKER_URL")
AXE = HERE / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, by the lock beside this file."""
    if not AXE.exists() and shutil.which("npm"):
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=HERE, check=False, capture_output=True, timeout=120)
    if not AXE.exists():
        lacking("axe-core", f"npm ci in {HERE.name}")
    return AXE.read_text()


@pytest.fixture(scope="session")
def seeded() -> tuple[str, Mapping[str, Mapping[str, str]]]:
    """The name of a database with the demo and its cohort, and the sign-ins by role."""
    name = f"{database_name()}_seeded"
    urls = create_empty_database(name)
    sign_ins = fill(Database(owner=urls.owner, web=urls.web, worker=urls.worker))
    return name, sign_ins


@pytest.fixture(scope="session")
def pages(seeded: tuple[str, Mapping[str, Mapping[str, str]]]) -> Iterator[str]:
    """The running web process; each test gets its database anew, below it."""
    name = f"{database_name()}_pages"
    database = Database(
        owner=with_path(os.environ["DATABASE_OWNER_URL"], name),
        web=with_path(os.environ["DATABASE_URL"], name),
        worker=with_path(os.environ["DATABASE_WORKER_URL"], name),
    )
    with served(database) as web:
        yield web
    with _as_owner("postgres") as connection:
        _drop(connection, name)
        _drop(connection, seeded[0])


@pytest.fixture
def address(pages: str, seeded: tuple[str, Mapping[str, Mapping[str, str]]]) -> str:
    """The running pages over a fresh copy of the seeded database."""
    name = f"{database_name()}_pages"
    with _as_owner("postgres") as connection:
        _drop(connection, name)
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(copy.format(sql.Identifier(name), sql.Identifier(seeded[0])))
    users = tuple(urlsplit(os.environ[url]).username or "" for url in ROLE_URLS)
    with _as_owner(name) as connection:
        restrict_database(connection, name, users=users)
    return pages


def _as_owner(name: str) -> psycopg.Connection:
    return psycopg.connect(with_path(os.environ["DATABASE_OWNER_URL"], name), autocommit=True)


def _drop(connection: psycopg.Connection, name: str) -> None:
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
    connection.execute(drop.format(sql.Identifier(name)))


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complained about: a breach of the policy, a script that broke."""
    return []


@pytest.fixture
def new_page(browser: Browser, address: str, complaints: list[str]) -> Iterator[PageMaker]:
    maker = PageMaker(browser, address, complaints)
    yield maker
    for context in maker.contexts:
        context.close()
    assert complaints == []


class PageMaker:
    """Opens pages of the kind that a test asks for."""

    def __init__(self, browser: Browser, address: str, complaints: list[str]) -> None:
        self.contexts: list[BrowserContext] = []
        self._browser, self._address, self._complaints = browser, address, complaints

    def __call__(
        self,
        *,
        is_phone: bool = False,
        language: str = "en",
        is_dark: bool = False,
        has_scripts: bool = True,
    ) -> Page:
        context = self._browser.new_context(
            viewport={"width": 360, "height": 740} if is_phone else {"width": 1280, "height": 900},
            locale=language,
            color_scheme="dark" if is_dark else "light",
            java_script_enabled=has_scripts,
            base_url=self._address,
            has_touch=is_phone,
        )
        self.contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self._complaints.append(str(error)))
        return page

    def _heard(self, message: ConsoleMessage) -> None:
        # A refused form is an answer of ours, which the browser also writes to its console.
        if message.type == "error" and "status of 40" not in message.text:
            self._complaints.append(message.text)


@pytest.fixture
def sign_in(seeded: tuple[str, Mapping[str, Mapping[str, str]]]) -> Mapping[str, str]:
    return seeded[1]["therapist"]


@pytest.fixture
def administrator(seeded: tuple[str, Mapping[str, Mapping[str, str]]]) -> Mapping[str, str]:
    return seeded[1]["admin"]
