"""Copies of the project: what is broken is never the checkout, and programs start from a copy."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from local.launch import Program
from local.programs import ROOT

COPIED = ("backend", "worker", "local", "bench", "manage.py")


class TextNotFoundError(Exception):
    """A mutant no longer fits the source: it has to be written anew, or it proves nothing."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One exact text in one file, and what stands there instead."""

    path: str
    old: str
    new: str

    def apply(self, tree: Path) -> None:
        """Raises TextNotFoundError unless the text is there exactly once."""
        file = tree / self.path
        text = file.read_text() if file.exists() else ""
        found = text.count(self.old)
        if found != 1:
            raise TextNotFoundError(f"{self.path} holds this {found} times:\n{self.old}")
        file.write_text(text.replace(self.old, self.new))


def copy_project(tree: Path, *, commit: str = "") -> None:
    """The working copy, or a commit of it. The bench itself is always the one that runs."""
    tree.mkdir()
    if commit:
        packed = subprocess.run(
            ["git", "archive", commit, "--", *(name for name in COPIED if name != "bench")],
            cwd=ROOT,
            check=True,
            capture_output=True,
        )
        with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
            archive.extractall(tree, filter="data")
    for name in ("bench",) if commit else COPIED:
        source = ROOT / name
        if source.is_dir():
            # Compiled files come and go while somebody works on the checkout.
            shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, tree / name)


def mutated(tree: Path, edits: Sequence[Edit], *, into: Path) -> Path:
    """A copy of the copy with these changes. Raises TextNotFoundError."""
    shutil.copytree(tree, into)
    try:
        for edit in edits:
            edit.apply(into)
    except TextNotFoundError:
        shutil.rmtree(into)
        raise
    return into


def from_tree(
    program: Program, tree: Path, *, name: str = "", more: Mapping[str, str] | None = None
) -> Program:
    """The same program, started from that copy, perhaps under another name."""
    environment = {**program.environment, **(more or {}), "PYTHONPATH": str(tree)}
    log = program.log.with_name(f"{name}.log") if name else program.log
    return replace(
        program, name=name or program.name, environment=environment, folder=tree, log=log
    )
