"""Clients branch on codes, so every code is written down, and nothing else is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from django.core.checks.registry import registry
from django.test import Client

from backend import errors
from tests.architecture.source import ROOT, files, tree
from tests.people import People
from tests.phones import Phone

PAGE = ROOT / "docs" / "problems.md"
ERRORS = {name for name, kind in vars(errors).items() if isinstance(kind, type)}
# Codes of one field stand second, behind the pointer to it.
FIELD_ERRORS = {"FieldProblem", "invalid_field"}


def text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def name_of(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def codes_in(module: ast.Module) -> Iterator[str | None]:
    """The codes of errors raised, of fields refused, and of the table of framework errors."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            name, arguments = name_of(node.func), node.args
            if name in FIELD_ERRORS and len(arguments) > 1:
                yield text(arguments[1])
            elif name in ERRORS and arguments:
                yield text(arguments[0])
            elif name == "plain_problem" and len(arguments) > 2:
                yield text(arguments[2])
        elif isinstance(node, ast.Tuple):
            for status, code in zip(node.elts, node.elts[1:], strict=False):
                if isinstance(status, ast.Constant) and status.value in range(400, 600):
                    yield text(code)
        elif isinstance(node, ast.Assign) and name_of(node.targets[0]) == "code":
            yield text(node.value)


def raised() -> set[str]:
    found = {code for path in files("backend") for code in codes_in(tree(path))}
    return {code for code in found if code}


def written(heading: str) -> set[str]:
    section = PAGE.read_text(encoding="utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return set(re.findall(r"^\| `([^`]+)` \|", section, flags=re.MULTILINE))


def test_every_code_is_written_down_and_no_other() -> None:
    codes = written("Problems") | written("Fields")
    assert {"not_found", "internal_error", "weak_password", "unknown_code"} <= raised()
    assert raised() - codes == set()
    assert codes - raised() == set()


def test_every_check_is_written_down() -> None:
    checks = [check for check in registry.registered_checks if "backend.checks" in check.__module__]
    source = "".join((ROOT / path).read_text() for path in files("backend/checks"))
    assert len(checks) >= 5
    assert set(re.findall(r"handrail\.[EW]\d{3}", source)) == written("Checks at start")


@pytest.mark.parametrize(
    "address",
    ["/api/v1/nowhere", "/api/v1/trends", "/api/v1/patients/c3b0a1f2-0000-4000-8000-000000000000"],
)
def test_no_problem_is_without_the_crisis_lines(db: None, address: str) -> None:
    problem = Client().get(address, {"country": "GB"}).json()
    assert problem["status"] in (401, 404)
    assert "999" in {line["call"] for line in problem["crisis_resources"]}


def test_a_refused_look_at_somebody_else_has_them_too(people: People) -> None:
    stranger = Phone.of(people.stranger.user)
    problem = stranger.get(f"/patients/{people.patient.pk}/check-ins").json()
    assert problem["code"] == "not_found"
    assert problem["crisis_resources"]
