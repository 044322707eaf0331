"""A process that could change a seal does not start."""

from __future__ import annotations

import pytest
from django.db import connections

from backend.checks.database import read_facts
from tests.conftest import owner_connection


def test_the_roles_that_serve_may_change_neither_log_nor_seals(as_worker: None) -> None:
    assert not read_facts("default").can_change_audit


@pytest.mark.parametrize("table", ["accounts_auditevent", "privacy_auditseal"])
def test_a_grant_too_many_is_seen(as_worker: None, table: str) -> None:
    with owner_connection() as owner:
        owner.execute(f"GRANT DELETE ON {table} TO handrail_worker")
        try:
            assert read_facts("default").can_change_audit
        finally:
            owner.execute(f"REVOKE DELETE ON {table} FROM handrail_worker")
            connections["default"].close()
