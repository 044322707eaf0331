"""`manage.py audit_verify` as an operator runs it: what it says, and with which status."""

from __future__ import annotations

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from backend.checks.audit import roots_are_kept_outside
from backend.privacy.services import seal_audit
from tests.conftest import ROOT, owner_connection
from tests.privacy.sealed import NOW, later, write_acts


@pytest.fixture
def sealed(as_worker: None, roots: Path) -> list[int]:
    ids = write_acts(4)
    seal_audit(now=NOW)
    ids += write_acts(3)
    seal_audit(now=later(60))
    return ids + write_acts(2)


def run(**options: str) -> str:
    out = StringIO()
    call_command("audit_verify", stdout=out, **options)
    return out.getvalue()


def tamper(statement: str) -> None:
    with owner_connection() as owner:
        owner.execute("SET handrail.audit_change = 'allowed'")
        owner.execute(statement)


def test_a_log_that_nobody_touched_is_as_it_was(sealed: list[int]) -> None:
    assert run().splitlines() == [
        "7 rows under 2 seals; 2 rows not sealed yet.",
        "The audit log is as it was sealed.",
    ]


def test_it_says_which_seal(sealed: list[int]) -> None:
    tamper(f"UPDATE accounts_auditevent SET facts = '{{}}' WHERE id = {sealed[5]}")
    out = StringIO()
    with pytest.raises(CommandError) as raised:
        call_command("audit_verify", stdout=out)
    assert raised.value.returncode == 1
    assert out.getvalue().startswith("seal 2 does not fit its rows")


def test_a_cut_tail_needs_the_roots(sealed: list[int], roots: Path, settings: Settings) -> None:
    tamper("DELETE FROM privacy_auditseal WHERE number = 2")
    tamper(f"DELETE FROM accounts_auditevent WHERE id > {sealed[3]}")
    with pytest.raises(CommandError):
        run()
    settings.AUDIT_ROOTS_FILE = ""
    assert "No file of roots" in run()
    with pytest.raises(CommandError):
        run(roots=str(roots))


def test_roots_that_are_not_there_are_no_proof(sealed: list[int], tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        run(roots=str(tmp_path / "gone"))


@pytest.mark.parametrize("role", ["web", "worker", "owner"])
def test_every_role_may_check(sealed: list[int], roots: Path, role: str) -> None:
    command = [sys.executable, "manage.py", "audit_verify", "--roots", str(roots)]
    finished = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "HANDRAIL_DATABASE_ROLE": role},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    roots.write_text(roots.read_text().replace("\n2 ", "\n3 "))
    finished = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "HANDRAIL_DATABASE_ROLE": role},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode == 1


def test_sealing_without_a_file_outside_is_warned_of_in_production(settings: Settings) -> None:
    settings.IS_PRODUCTION, settings.DATABASE_ROLE = True, "worker"
    settings.AUDIT_ROOTS_FILE = ""
    assert [message.id for message in roots_are_kept_outside()] == ["handrail.W007"]
    settings.AUDIT_ROOTS_FILE = "/somewhere/else"
    assert roots_are_kept_outside() == []
    settings.AUDIT_ROOTS_FILE, settings.DATABASE_ROLE = "", "web"
    assert roots_are_kept_outside() == []
