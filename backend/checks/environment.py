"""What the environment says: secrets, hosts, roles, addresses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured

from backend.sealing import KeyRing, KeyRingError
from backend.start import ENVIRONMENT

KNOWN_ENVIRONMENTS = ("production", "development", "test")
SHORTEST_KEY = 50
FEWEST_CHARACTERS = 5
# Beginnings of keys that stand in documents and examples, so everybody has them.
KNOWN_KEYS = ("django-insecure-", "changeme", "change-me", "secret", "development", "test", "demo")


@register(ENVIRONMENT)
def names_are_known(**_: Any) -> list[CheckMessage]:
    """A misspelt environment would quietly switch protection off."""
    found: list[CheckMessage] = []
    if settings.HANDRAIL_ENV not in KNOWN_ENVIRONMENTS:
        hint = f"Set HANDRAIL_ENV to one of {', '.join(KNOWN_ENVIRONMENTS)}, or leave it out."
        found.append(Error("HANDRAIL_ENV is not a known word.", hint, id="handrail.E001"))
    if settings.DATABASE_ROLE not in settings.DATABASE_VARIABLES:
        hint = f"Set HANDRAIL_DATABASE_ROLE to one of {', '.join(settings.DATABASE_VARIABLES)}."
        found.append(Error("HANDRAIL_DATABASE_ROLE is not a known word.", hint, id="handrail.E002"))
    elif not settings.DATABASES["default"].get("NAME"):
        variable = settings.DATABASE_VARIABLES[settings.DATABASE_ROLE]
        hint = f"Set {variable} or {variable}_FILE to postgresql://user:password@host/name."
        found.append(Error("This process has no database address.", hint, id="handrail.E003"))
    return found


@register(ENVIRONMENT)
def spans_can_be_sent(**_: Any) -> list[CheckMessage]:
    """Everywhere: who asks for spans and has no way to send them would wait for ever."""
    if not settings.OTLP_ENDPOINT or find_spec("opentelemetry.exporter.otlp") is not None:
        return []
    return [
        Error(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, and OpenTelemetry is not installed.",
            "Install requirements/traces.lock beside run.lock, or remove the variable.",
            id="handrail.E034",
        )
    ]


@register(ENVIRONMENT)
def production_is_safe(**_: Any) -> list[CheckMessage]:
    """Everything that development may be lax about and production may not."""
    if settings.HANDRAIL_ENV in ("development", "test"):
        return []
    return [
        *_secret_key(),
        *_patient_keys(),
        *_hosts(),
        *_push(),
        *_cookies(),
        *_database_users(),
        *_network(),
    ]


def _secret_key() -> Iterator[CheckMessage]:
    try:
        key = settings.SECRET_KEY
    except ImproperlyConfigured:  # Django refuses to hand out an empty one
        key = ""
    weak = len(key) < SHORTEST_KEY or len(set(key)) < FEWEST_CHARACTERS
    if weak or key.lower().startswith(KNOWN_KEYS):
        yield Error(
            "SECRET_KEY is missing, short or publicly known.",
            f"Set SECRET_KEY_FILE to a file with {SHORTEST_KEY} or more random characters.",
            id="handrail.E004",
        )


def _patient_keys() -> Iterator[CheckMessage]:
    if settings.DATABASE_ROLE not in ("web", "worker"):
        return
    try:
        KeyRing.parse(settings.PATIENT_KEYS)
    except KeyRingError as error:
        yield Error(
            f"PATIENT_KEYS cannot be used ({error}): what patients write could not be sealed.",
            "Set PATIENT_KEYS_FILE to a file with id:key, the key 32 random bytes in URL-safe"
            " base64; `sh docker/make_secrets.sh` makes one.",
            id="handrail.E020",
        )


def _hosts() -> Iterator[CheckMessage]:
    hosts = [host.strip() for host in settings.ALLOWED_HOSTS]
    if settings.DATABASE_ROLE == "web" and (not any(hosts) or "*" in hosts):
        yield Error(
            "ALLOWED_HOSTS is empty or lets every name in.",
            "Set ALLOWED_HOSTS to the names this server is reached by, with commas.",
            id="handrail.E005",
        )


def _push() -> Iterator[CheckMessage]:
    if settings.FCM_ENDPOINT:
        yield Error(
            "FCM_ENDPOINT is set: messages would go to a stand-in and reach nobody.",
            "Remove FCM_ENDPOINT and set FIREBASE_CREDENTIALS in the worker and the relay.",
            id="handrail.E006",
        )
    if settings.DATABASE_ROLE == "worker" and not settings.FIREBASE_CREDENTIALS:
        yield Warning(
            "FIREBASE_CREDENTIALS is not set: this process cannot push.",
            "Set it to the path of a service account's JSON file.",
            id="handrail.W001",
        )
    if settings.DATABASE_ROLE == "web" and settings.FIREBASE_CREDENTIALS:
        yield Warning(
            "The web process was given FIREBASE_CREDENTIALS, which it does not need.",
            "Give that secret to the worker and the relay alone.",
            id="handrail.W005",
        )


def _cookies() -> Iterator[CheckMessage]:
    needed = ("SESSION_COOKIE_SECURE", "SESSION_COOKIE_HTTPONLY", "CSRF_COOKIE_SECURE")
    lax = [name for name in needed if not getattr(settings, name)]
    if lax:
        yield Error(
            f"Cookies are not protected: {', '.join(lax)}.",
            "Leave these settings as they come; in production each of them is on.",
            id="handrail.E007",
        )


def _database_users() -> Iterator[CheckMessage]:
    roles_by_user: Mapping[str, list[str]] = defaultdict(list)
    for role, user in settings.DATABASE_USERS.items():
        roles_by_user[user].append(role)
    for roles in roles_by_user.values():
        if len(roles) > 1:
            yield Error(
                f"The database roles {' and '.join(roles)} connect as the same PostgreSQL user.",
                "Make a PostgreSQL user for each of web, worker and owner.",
                id="handrail.E008",
            )


def _network() -> Iterator[CheckMessage]:
    if not settings.BROKER_URL:
        yield Warning(
            "REDIS_URL is not set: the relay does all of the work alone.",
            "This is safe. Set REDIS_URL to share the work with Celery workers.",
            id="handrail.W002",
        )
    if settings.DATABASE_ROLE == "web" and not settings.TRUSTED_PROXIES:
        yield Warning(
            "TRUSTED_PROXIES is 0: behind a proxy, everybody counts as one address.",
            "Set TRUSTED_PROXIES to the number of your own proxies in front of this process.",
            id="handrail.W006",
        )
