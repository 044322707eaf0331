"""Secrets, locks and logs of a state folder."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from local import logs
from local.servers import make_folder
from local.state import Lock, LockedError, secret, write_private


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_secret_is_generated_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        first = secret(tmp_path / "one")
    finally:
        os.umask(before)
    assert mode(tmp_path / "one") == 0o600
    assert secret(tmp_path / "one") == first
    assert secret(tmp_path / "two") != first
    assert len(first) >= 40


def test_a_private_file_replaces_the_old_one_and_leaves_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    file.write_text("old")
    file.chmod(0o644)
    write_private(file, "new")
    assert file.read_text() == "new"
    assert mode(file) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_lock_is_refused_while_held_and_free_afterwards(tmp_path: Path) -> None:
    held = Lock(tmp_path / "lock")
    with pytest.raises(LockedError):
        Lock(tmp_path / "lock", patience=timedelta(seconds=0.1))
    held.close()
    Lock(tmp_path / "lock").close()


def test_a_lock_stays_with_a_program_that_inherited_it(tmp_path: Path) -> None:
    held = Lock(tmp_path / "lock")
    code = "import sys; sys.stdin.read()"
    heir = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, pass_fds=(held.descriptor,)
    )
    held.close()
    with pytest.raises(LockedError):
        Lock(tmp_path / "lock")
    heir.communicate()
    Lock(tmp_path / "lock").close()


def test_a_new_folder_is_closed_and_a_shared_one_keeps_its_mode(tmp_path: Path) -> None:
    make_folder(tmp_path / "new", None)
    assert mode(tmp_path / "new") == 0o700
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o755)
    make_folder(tmp_path / "shared", None)
    assert mode(tmp_path / "shared") == 0o755


def test_a_log_is_emptied_past_its_limit_while_its_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"x" * 100)
        logs.bound(log, limit=100)
        assert log.stat().st_size == 100
        writer.write(b"y")
        logs.bound(log, limit=100)
        writer.write(b"after")
    assert log.read_text() == "after"
    assert (tmp_path / "web.log.1").read_text() == "x" * 100 + "y"


def test_the_tail_of_a_log_counts_from_where_it_is_told(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    log.write_text("".join(f"{number}\n" for number in range(10)))
    assert logs.tail(log, lines=2) == "8\n9"
    assert logs.tail(log, start=16, lines=20) == "8\n9"
    assert logs.tail(tmp_path / "absent.log") == ""
