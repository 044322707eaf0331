"""The typed client: generated from the checked-in document and compiled, wrong uses refused."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import lacking

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "typescript"

WRONG = (
    ("{ mood: 5 }", '{ mood: "low" }'),
    ("/api/v1/sync", "/api/v1/synch"),
    ("data.check_in.revision", "data.check_in.version"),
    ('kind: "daily"', 'kind: "weekly"'),
    ("mfa_token: mfaToken, code", "code"),
)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the example beside a copy of the document, with the packages of its lock."""
    if not shutil.which("npm"):
        lacking("npm", "install Node.js")
    folder = tmp_path_factory.mktemp("typed") / "examples" / "typescript"
    ignore = shutil.ignore_patterns("node_modules", "api.d.ts")
    shutil.copytree(EXAMPLE, folder, ignore=ignore)
    (folder.parents[1] / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "openapi.json", folder.parents[1] / "docs")
    if (EXAMPLE / "node_modules").exists():
        (folder / "node_modules").symlink_to(EXAMPLE / "node_modules")
    else:
        installed = npm(folder, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
        if installed.returncode != 0:
            lacking("openapi-typescript", "npm ci in examples/typescript")
    assert npm(folder, "run", "generate").returncode == 0
    yield folder


def npm(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["npm", *arguments], cwd=folder, check=False, capture_output=True, text=True, timeout=180
    )


def compile_it(folder: Path) -> subprocess.CompletedProcess[str]:
    return npm(folder, "exec", "--", "tsc", "--noEmit")


def test_the_client_compiles(client: Path) -> None:
    compiled = compile_it(client)
    assert compiled.returncode == 0, compiled.stdout


def test_what_the_document_does_not_say_does_not_compile(client: Path) -> None:
    source = (client / "client.ts").read_text()
    for number, (right, wrong) in enumerate(WRONG):
        assert right in source
        (client / f"wrong_{number}.ts").write_text(source.replace(right, wrong))
    told = compile_it(client).stdout
    for number, (_right, wrong) in enumerate(WRONG):
        (client / f"wrong_{number}.ts").unlink()
        assert f"wrong_{number}.ts(" in told, wrong
    assert "client.ts(" not in told
