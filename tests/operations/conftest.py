"""An operator, and delivery as the worker role."""

from __future__ import annotations

import pytest

from backend.accounts.actor import Role
from backend.accounts.models import User
from tests.notifications.conftest import worker_db
from tests.people import make_user

__all__ = ["operator", "worker_db"]


@pytest.fixture
def operator(db: None) -> User:
    return make_user("olga", Role.OPERATOR)
