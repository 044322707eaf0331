"""The roots of the seals, outside of the database: complete, private, and never rewritten."""

from __future__ import annotations

from pathlib import Path

import pytest
import structlog
from pytest_django.fixtures import Settings

from backend.privacy.models import AuditSeal
from backend.privacy.services import publish_roots, seal_audit
from tests.privacy.sealed import NOW, all_faults, later, write_acts


def test_each_root_is_a_line_for_its_owner_alone(as_worker: None, roots: Path) -> None:
    write_acts(3)
    seal_audit(now=NOW)
    seal = AuditSeal.objects.get()
    (line,) = roots.read_text().splitlines()
    assert line.split() == [
        "1", str(seal.first_id), str(seal.last_id), "3", "1772445600.000000", seal.digest,
    ]  # fmt: skip
    assert roots.stat().st_mode & 0o777 == 0o600


def test_each_root_is_logged(as_worker: None, roots: Path) -> None:
    write_acts(3)
    with structlog.testing.capture_logs() as logged:
        seal_audit(now=NOW)
    seal = AuditSeal.objects.get()
    assert logged == [
        {"event": "audit_sealed", "log_level": "info", "seal": 1, "count": 3, "root": seal.digest}
    ]


def test_a_file_that_was_away_gets_what_it_missed(
    as_worker: None, roots: Path, settings: Settings, tmp_path: Path
) -> None:
    """As after a crash between the commit and the line, or on a second machine."""
    settings.AUDIT_ROOTS_FILE = ""
    for number in range(3):
        write_acts(2)
        seal_audit(now=later(60 * number))
    settings.AUDIT_ROOTS_FILE = str(roots)
    assert publish_roots() == 3
    assert publish_roots() == 0
    assert all_faults(roots) == []


def test_a_torn_line_is_written_again(as_worker: None, roots: Path) -> None:
    write_acts(2)
    seal_audit(now=NOW)
    whole = roots.read_text()
    for kept in (1, 20, len(whole) - 2, len(whole) - 1):
        roots.write_text(whole[:kept])
        publish_roots()
        assert whole in roots.read_text()
        assert all_faults(roots) == []


def test_a_file_that_says_something_else_is_left_alone(as_worker: None, roots: Path) -> None:
    write_acts(2)
    seal_audit(now=NOW)
    forged = roots.read_text().replace(" 2 1772", " 3 1772")
    roots.write_text(forged)
    write_acts(2)
    with structlog.testing.capture_logs() as logged:
        assert seal_audit(now=later(60)) == 2
    assert {"event": "audit_roots_differ", "log_level": "error", "seal": 1} in logged
    assert roots.read_text() == forged
    assert all_faults(roots) != []


def test_a_folder_that_is_away_does_not_stop_the_sealing(
    as_worker: None, roots: Path, settings: Settings
) -> None:
    settings.AUDIT_ROOTS_FILE = "/nowhere/at/all"
    write_acts(2)
    with structlog.testing.capture_logs() as logged:
        assert seal_audit(now=NOW) == 2
    assert logged[-1]["event"] == "audit_roots_unwritten"


@pytest.mark.parametrize("line", ["", "1 2 3", "no root at all", "1 1 2 2 0.0 " + "0" * 63])
def test_a_line_that_is_none_is_a_fault(as_worker: None, roots: Path, line: str) -> None:
    write_acts(2)
    seal_audit(now=NOW)
    roots.write_text(f"{line}\n{roots.read_text()}")
    assert [fault.seal for fault in all_faults(roots)] == [0]
