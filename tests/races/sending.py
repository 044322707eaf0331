"""Twenty phones, or one phone twenty times, at the same moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

from django.test import Client
from django.test.client import ClientHandler

from tests.accounts.threads import at_once
from tests.phones import Phone

THREADS = 20


def twenty(call: Callable[[int], Any]) -> list[Any]:
    """The same call from twenty threads at once; each is told its number."""
    return at_once([partial(call, number) for number in range(THREADS)])


@cache
def handler() -> ClientHandler:
    """One stack of middleware for all clients, as threads of one server share it."""
    shared = ClientHandler(enforce_csrf_checks=False)
    shared.load_middleware()
    return shared


def twin(phone: Phone | None = None) -> Phone:
    """Another connection of the same app: the same token, a client of its own."""
    client = Client(raise_request_exception=False)
    client.handler = handler()
    return Phone(token=phone.token if phone else "", client=client)


def statuses(answers: Sequence[Any]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def results(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["results"]
    return [result["status"] for result in found]
