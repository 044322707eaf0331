"""Two commands do the set-up; the rest is little enough to remember."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.local.processes import ROOT

TARGETS = {"run", "test", "check", "bench", "evaluate", "faults", "screenshots"}
OLD_PYTHON = """#!/bin/sh
exec {python} -c "import sys; sys.version_info = (3, 10, 2); exec(sys.argv[1])" "$2"
"""


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=folder,
        env={**clean, "MFLAGS": ""},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A fresh checkout: nothing installed."""
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text())
    (tmp_path / "requirements").mkdir()
    for name in ("run", "dev"):
        (tmp_path / "requirements" / f"{name}.lock").write_text("")
    return tmp_path


def test_the_targets_are_these() -> None:
    lines = (ROOT / "Makefile").read_text().splitlines()
    phony = next(line for line in lines if line.startswith(".PHONY:"))
    assert set(phony.split()[1:]) == TARGETS
    assert len(TARGETS) <= 10


def test_an_old_python_is_refused_in_plain_words(checkout: Path) -> None:
    old = checkout / "old-python"
    old.write_text(OLD_PYTHON.format(python=sys.executable))
    old.chmod(0o755)
    made = make(checkout, f"PYTHON={old}", "run")
    assert made.returncode != 0
    assert "Handrail needs Python 3.11 or newer" in made.stderr
    assert "3.10" in made.stderr
    assert not (checkout / ".venv").exists()


@pytest.mark.parametrize(
    ("target", "lock"), [("run", "run.lock"), ("test", "dev.lock"), ("bench", "dev.lock")]
)
def test_set_up_comes_first_and_takes_nothing_without_its_hash(
    checkout: Path, target: str, lock: str
) -> None:
    planned = make(checkout, "--dry-run", target).stdout
    assert (
        "--require-hashes --no-deps --disable-pip-version-check --no-input"
        f" --requirement requirements/{lock}" in planned
    )


def test_what_is_set_up_is_not_set_up_again_until_the_lock_changes(checkout: Path) -> None:
    (checkout / ".venv").mkdir()
    stamp = checkout / ".venv" / "handrail-dev.stamp"
    stamp.touch()
    os.utime(stamp, (2e9, 2e9))
    for target in ("run", "test"):
        assert "pip install" not in make(checkout, "--dry-run", target).stdout
    os.utime(checkout / "requirements" / "dev.lock", (2.1e9, 2.1e9))
    for target in ("run", "test"):
        assert "dev.lock" in make(checkout, "--dry-run", target).stdout


def test_arguments_are_passed_on(checkout: Path) -> None:
    bench = make(checkout, "--dry-run", "bench", "ARGS=--seconds 1").stdout
    assert "-m bench.bench --seconds 1" in bench
    evaluate = make(checkout, "--dry-run", "evaluate", "DATA=a folder").stdout
    assert '-m bench.evaluate --data "a folder"' in evaluate


def test_the_environment_finds_the_project(checkout: Path) -> None:
    made = make(checkout, f"PYTHON={sys.executable}", ".venv/handrail-run.stamp")
    assert made.returncode == 0, made.stderr
    (checkout / "only_here.py").touch()
    python = checkout / ".venv" / "bin" / "python"
    found = subprocess.run([python, "-c", "import only_here"], cwd="/", check=False)
    assert found.returncode == 0
