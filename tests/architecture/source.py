"""The project's own Python files, parsed once."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("backend", "worker")


@cache
def files(*packages: str) -> tuple[Path, ...]:
    """Every module of these packages, migrations left out, as paths below the root."""
    found = (path for name in packages for path in (ROOT / name).rglob("*.py"))
    kept = (path for path in found if not {"migrations", "node_modules"} & set(path.parts))
    return tuple(sorted(path.relative_to(ROOT) for path in kept))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def imports_in(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and full name of everything imported below this node."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Import):
            yield from ((inner.lineno, alias.name) for alias in inner.names)
        elif isinstance(inner, ast.ImportFrom):
            yield from ((inner.lineno, f"{inner.module}.{alias.name}") for alias in inner.names)


def functions(node: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
            yield inner
