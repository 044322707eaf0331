"""A phone or a script that speaks to the API inside this process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import msgspec
from django.conf import Settings, settings
from django.db import connections
from django.test import Client
from django.test.client import ClientHandler

from backend.accounts.models import AccessToken, User
from backend.accounts.tokens import hash_token, new_token


@contextmanager
def served_by_web() -> Iterator[None]:
    """Requests are answered by the web role, also where the test itself connects as another."""
    own, web = connections["default"], urlsplit(os.environ["DATABASE_URL"])
    if own.settings_dict["USER"] == web.username:
        yield
        return
    served = own.copy()
    role = {"USER": web.username, "PASSWORD": unquote(web.password or "")}
    served.settings_dict = {**own.settings_dict, **role}
    connections["default"] = served
    try:
        yield
    finally:
        served.close()
        connections["default"] = own


def make_token(user: User) -> str:
    token = new_token()
    AccessToken.objects.create(
        user=user, token_hash=hash_token(token), expires_at=datetime.now(UTC) + timedelta(days=1)
    )
    return token


def check_in_body(**items: Any) -> dict[str, Any]:
    """A daily check-in of now; `items` are added and may override."""
    now = datetime.now(UTC).replace(microsecond=0)
    return {
        "id": str(uuid4()),
        "kind": "daily",
        "local_date": now.date().isoformat(),
        "recorded_at": now.isoformat(),
        **items,
    }


@cache
def shared_handler() -> ClientHandler:
    """One stack of middleware: each new one looks through all static files again."""
    return ClientHandler(enforce_csrf_checks=False)


@dataclass
class Phone:
    token: str = field(default="", repr=False)
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False))

    @classmethod
    def of(cls, user: User) -> Phone:
        return cls(token=make_token(user))

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
        if self.token:
            headers = {"authorization": f"Bearer {self.token}", **headers}
        # Middleware reads the settings when it is made: a test's own settings need their own.
        if isinstance(settings._wrapped, Settings):  # type: ignore[misc]  # the stubs hide it
            self.client.handler = shared_handler()
        with served_by_web():
            return self.client.generic(
                method,
                f"/api/v1{path}",
                data=b"" if body is None else raw,
                content_type="application/json",
                headers=headers,
            )

    def get(self, path: str, **headers: str) -> Any:
        return self.request("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.request("POST", path, body, **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.request("PUT", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Any:
        return self.request("DELETE", path, **headers)
