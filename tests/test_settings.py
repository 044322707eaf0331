"""Settings are read to their types at start, and what is unsafe does not start."""

from __future__ import annotations

import os
import runpy
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage
from pytest_django.fixtures import Settings

from backend.checks.content import content_is_reviewed
from backend.checks.environment import names_are_known, production_is_safe

ROOT = Path(__file__).resolve().parents[1]
STRONG_KEY = "Zx8Qw3Er5Ty7Ui9Op1As2Df4Gh6Jk8Lz0Xc3Vb5Nm7Qa9Ws2Ed4Rf6"
Environment = Callable[..., dict[str, Any]]


def ids(found: Collection[CheckMessage]) -> set[str]:
    return {str(message.id) for message in found}


# Parsing ----------------------------------------------------------------------------------------


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Environment:
    """Reads the settings file anew under exactly these variables."""
    ours = ("HANDRAIL", "DATABASE", "REDIS", "SECRET", "FIREBASE", "FCM", "ALLOWED", "TRUSTED")
    for name in list(os.environ):
        if name.startswith(ours):
            monkeypatch.delenv(name)

    def _read(**variables: str) -> dict[str, Any]:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(ROOT / "backend" / "settings.py"))

    return _read


def test_nothing_said_means_production(read: Environment) -> None:
    settings = read()
    assert settings["IS_PRODUCTION"] is True
    assert settings["DEBUG"] is False
    assert settings["ALLOWED_HOSTS"] == []
    assert settings["SESSION_COOKIE_SECURE"] is True


def test_numbers_and_lists_have_their_types(read: Environment) -> None:
    settings = read(TRUSTED_PROXIES="2", ALLOWED_HOSTS="a.example,b.example")
    assert settings["TRUSTED_PROXIES"] == 2
    assert settings["ALLOWED_HOSTS"] == ["a.example", "b.example"]


def test_a_number_that_is_none_stops_the_start(read: Environment) -> None:
    with pytest.raises(ValueError, match="many"):
        read(TRUSTED_PROXIES="many")


def test_a_secret_may_come_as_a_file(read: Environment, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(STRONG_KEY)
    assert read(SECRET_KEY_FILE=str(file))["SECRET_KEY"] == STRONG_KEY


@pytest.mark.parametrize("value", ["", "none"])
def test_no_broker_has_two_spellings(read: Environment, value: str) -> None:
    assert read(REDIS_URL=value)["BROKER_URL"] == ""


@pytest.mark.parametrize(
    ("role", "user"), [("web", "w"), ("worker", "k"), ("owner", "o"), ("misspelt", "w")]
)
def test_the_role_picks_the_address(read: Environment, role: str, user: str) -> None:
    settings = read(
        HANDRAIL_DATABASE_ROLE=role,
        DATABASE_URL="postgresql://w:pw@h/db",
        DATABASE_WORKER_URL="postgresql://k:pw@h/db",
        DATABASE_OWNER_URL="postgresql://o:pw@h/db",
    )
    assert settings["DATABASES"]["default"]["USER"] == user
    assert settings["DATABASES"]["audit"]["USER"] == user
    assert settings["DATABASE_USERS"] == {"web": "w", "worker": "k", "owner": "o"}


def test_web_and_worker_commit_synchronously(read: Environment) -> None:
    options = read(DATABASE_URL="postgresql://w:pw@h/db")["DATABASES"]["default"]["OPTIONS"]
    assert "synchronous_commit=on" in options["options"]
    assert options["connect_timeout"] == 5


# Checks of the environment ----------------------------------------------------------------------


@pytest.fixture
def production(settings: Settings) -> Settings:
    """A web process that has everything it needs."""
    settings.HANDRAIL_ENV, settings.IS_PRODUCTION = "production", True
    settings.SECRET_KEY = STRONG_KEY
    settings.ALLOWED_HOSTS = ["handrail.example"]
    settings.FCM_ENDPOINT = settings.FIREBASE_CREDENTIALS = ""
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.DATABASE_USERS = {"web": "a", "worker": "b", "owner": "c"}
    settings.BROKER_URL = "redis://broker/0"
    settings.TRUSTED_PROXIES = 1
    return settings


def test_a_sound_production_is_let_through(production: Settings) -> None:
    assert production_is_safe() == []
    assert names_are_known() == []


UNSAFE = [
    ("SECRET_KEY", "", "E004"),
    ("SECRET_KEY", STRONG_KEY[:49], "E004"),
    ("SECRET_KEY", "abab" * 20, "E004"),
    ("SECRET_KEY", "django-insecure-" + STRONG_KEY, "E004"),
    ("SECRET_KEY", "ChangeMe" + STRONG_KEY, "E004"),
    ("ALLOWED_HOSTS", [], "E005"),
    ("ALLOWED_HOSTS", [""], "E005"),
    ("ALLOWED_HOSTS", ["h.example", "*"], "E005"),
    ("FCM_ENDPOINT", "http://127.0.0.1:9", "E006"),
    ("SESSION_COOKIE_SECURE", False, "E007"),
    ("SESSION_COOKIE_HTTPONLY", False, "E007"),
    ("CSRF_COOKIE_SECURE", False, "E007"),
    ("DATABASE_USERS", {"web": "a", "worker": "a"}, "E008"),
    ("DATABASE_USERS", {"worker": "b", "owner": "b"}, "E008"),
    ("BROKER_URL", "", "W002"),
    ("FIREBASE_CREDENTIALS", "/run/key.json", "W005"),
    ("TRUSTED_PROXIES", 0, "W006"),
]


@pytest.mark.parametrize(("name", "value", "check_id"), UNSAFE)
def test_one_slip_in_production_is_one_message(
    production: Settings, name: str, value: object, check_id: str
) -> None:
    setattr(production, name, value)
    found = production_is_safe()
    assert ids(found) == {f"handrail.{check_id}"}
    assert all(message.hint for message in found)
    assert [message.is_serious() for message in found] == [check_id.startswith("E")]


@pytest.mark.parametrize(("name", "value", "_check_id"), UNSAFE)
def test_development_may_do_all_of_it(
    production: Settings, name: str, value: object, _check_id: str
) -> None:
    production.HANDRAIL_ENV = "development"
    setattr(production, name, value)
    assert production_is_safe() == []


def test_a_worker_needs_credentials_and_no_hosts(production: Settings) -> None:
    production.DATABASE_ROLE, production.ALLOWED_HOSTS = "worker", []
    assert ids(production_is_safe()) == {"handrail.W001"}
    production.FIREBASE_CREDENTIALS = "/run/key.json"
    assert production_is_safe() == []


@pytest.mark.parametrize(
    ("name", "value", "check_id"),
    [
        ("HANDRAIL_ENV", "prod", "E001"),
        ("HANDRAIL_ENV", "", "E001"),
        ("DATABASE_ROLE", "admin", "E002"),
    ],
)
def test_misspelt_words_are_refused_everywhere(
    settings: Settings, name: str, value: object, check_id: str
) -> None:
    assert names_are_known() == []
    setattr(settings, name, value)
    assert ids(names_are_known()) == {f"handrail.{check_id}"}


def test_a_process_without_a_database_address_is_refused(settings: Settings) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(settings.DATABASES["default"], "NAME", "")
        assert ids(names_are_known()) == {"handrail.E003"}
    assert names_are_known() == []


def test_a_misspelt_environment_is_held_to_production(production: Settings) -> None:
    production.HANDRAIL_ENV, production.ALLOWED_HOSTS = "prodction", ["*"]
    assert "handrail.E005" in ids(production_is_safe())


def test_content_is_counted_in_production_alone(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert content_is_reviewed() == []
    settings.IS_PRODUCTION = True
    monkeypatch.setattr("backend.checks.content.texts.unreviewed", lambda: ("a", "b"))
    monkeypatch.setattr("backend.checks.content.crisis_resources.unverified", lambda: ("c",))
    found = content_is_reviewed()
    assert [message.msg.split()[0] for message in found] == ["2", "1"]
    assert ids(found) == {"handrail.W003", "handrail.W004"}


def test_reviewed_content_needs_no_words(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.IS_PRODUCTION = True
    monkeypatch.setattr("backend.checks.content.texts.unreviewed", lambda: ())
    monkeypatch.setattr("backend.checks.content.crisis_resources.unverified", lambda: ())
    assert content_is_reviewed() == []
