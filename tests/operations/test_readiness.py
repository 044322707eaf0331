"""Ready means that the database answers and fits; how delivery is doing is told beside it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from backend import health
from backend.accounts.actor import Actor
from backend.notifications.services import pause_delivery, resume_delivery
from tests.conftest import owner_connection
from tests.notifications.outbox import ACUTE, draft, queue
from tests.people import People

SYSTEM = Actor.system("tests")


def ready() -> tuple[int, Any]:
    answer = Client().get("/readyz")
    return answer.status_code, answer.json()


@pytest.fixture
def unapplied(committed_db: None) -> Iterator[None]:
    """As after a new version is rolled out and before `migrate` has run."""
    health.require_migrations.cache_clear()
    with owner_connection() as owner:
        row = owner.execute(
            "DELETE FROM django_migrations WHERE app = 'operations' RETURNING app, name, applied"
        ).fetchall()
        yield
        for app, name, applied in row:
            owner.execute(
                "INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, %s)",
                [app, name, applied],
            )
    health.require_migrations.cache_clear()


def test_it_is_ready(db: None) -> None:
    assert ready() == (200, {"status": "ok", "delivery": "moving"})


def test_a_stalled_outbox_is_told_and_people_are_let_in(people: People) -> None:
    ago = timezone.now() - timedelta(minutes=2)
    queue(draft(people.patient, people.patient_user, now=ago, **ACUTE), now=ago)
    assert ready() == (200, {"status": "ok", "delivery": "stalled"})


def test_a_pause_is_told(db: None) -> None:
    now = timezone.now()
    assert pause_delivery(actor=SYSTEM, reason="restored", now=now)
    assert not pause_delivery(actor=SYSTEM, reason="restored", now=now)
    assert ready() == (200, {"status": "ok", "delivery": "paused"})
    assert resume_delivery(actor=SYSTEM, now=now) == 1
    assert ready() == (200, {"status": "ok", "delivery": "moving"})


def test_tables_that_are_too_old_are_not_ready(unapplied: None) -> None:
    assert ready() == (503, {"status": "not_migrated"})


def test_once_applied_nobody_asks_again(db: None) -> None:
    ready()
    with connection.execute_wrapper(_refuse_migrations):
        assert ready()[0] == 200


def _refuse_migrations(execute: Any, sql: str, *rest: Any) -> Any:
    assert "django_migrations" not in sql
    return execute(sql, *rest)
