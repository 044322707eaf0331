"""Reading what an operator is given: the compose file, the Dockerfile, the settings."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from backend import settings as settings_file

ROOT = Path(__file__).resolve().parents[2]
MOUNTED = "/run/secrets/"
OURS = ("migrate", "web", "relay", "worker", "beat")
SERVERS = ("postgres", "redis")
_VARIABLE = re.compile(r"\$\{(\w+)(?:(:[-?])([^}]*))?\}")
REFUSED = object()
"""The default of a setting that has none that could be written down."""


@cache
def compose() -> dict[str, Any]:
    """docker-compose.yml with its anchors resolved."""
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return found


def service(name: str) -> dict[str, Any]:
    found: dict[str, Any] = compose()["services"][name]
    return found


def environment(name: str) -> dict[str, str]:
    return dict(service(name).get("environment", {}))


def interpolated(text: str, given: Mapping[str, str]) -> str:
    """As compose fills in ${NAME}, ${NAME:-default} and ${NAME:?message}."""

    def value(match: re.Match[str]) -> str:
        name, how, rest = match.groups()
        if given.get(name):
            return given[name]
        if how == ":-":
            return rest
        raise KeyError(f"{name}: {rest}")

    return _VARIABLE.sub(value, text)


def interpolations() -> set[str]:
    """The names that compose itself reads."""
    return {match[0] for match in _VARIABLE.findall((ROOT / "docker-compose.yml").read_text())}


@cache
def settings_variables() -> dict[str, object]:
    """Each variable that the settings read, with its default."""
    tree = ast.parse(Path(settings_file.__file__).read_text())
    found = dict(_reads(tree))
    for variable in settings_file.DATABASE_VARIABLES.values():
        found.setdefault(variable, "")
    return found


def _reads(tree: ast.AST) -> Iterator[tuple[str, object]]:
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if not (isinstance(node.func.value, ast.Name) and node.func.value.id == "env"):
            continue
        name = node.args[0]
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            default = next((k.value for k in node.keywords if k.arg == "default"), None)
            is_plain = isinstance(default, ast.Constant)
            yield name.value, default.value if is_plain else REFUSED  # type: ignore[union-attr]


@cache
def dockerfile() -> list[tuple[str, str]]:
    """Its instructions in order, continued lines joined, comments left out."""
    text = (ROOT / "Dockerfile").read_text()
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [
        (word.upper(), rest.strip())
        for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line.strip())
    ]


def instructions(word: str) -> list[str]:
    return [rest for found, rest in dockerfile() if found == word]


def image_environment() -> dict[str, str]:
    """What the image itself sets, of its last stage."""
    last_from = max(i for i, (word, _) in enumerate(dockerfile()) if word == "FROM")
    pairs = " ".join(rest for word, rest in dockerfile()[last_from:] if word == "ENV").split()
    return dict(pair.split("=", 1) for pair in pairs)
