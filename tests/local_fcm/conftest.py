"""A fresh server for each test, and plain HTTP towards it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from local.fcm import LocalFcm

SEND = "/v1/projects/handrail-local/messages:send"


def envelope(token: str = "a-phone", *, collapse: str = "", **parts: Any) -> dict[str, Any]:
    message: dict[str, Any] = {"token": token, "notification": {"title": "Hello"}, **parts}
    if collapse:
        message["android"] = {"collapse_key": collapse}
    return {"message": message}


@pytest.fixture
def fcm() -> Iterator[LocalFcm]:
    with LocalFcm() as running:
        yield running


@pytest.fixture
def http(fcm: LocalFcm) -> Iterator[httpx.Client]:
    headers = {"Authorization": "Bearer anything"}
    with httpx.Client(base_url=fcm.url, headers=headers, timeout=5, trust_env=False) as client:
        yield client
