"""What the linters do not see: late imports, module names, lengths, signals, docstrings."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source import PACKAGES, ROOT, files, functions, imports_in, tree

EVERYTHING = ("backend", "worker", "local", "bench", "tests")
LONGEST = 400
VAGUE_NAMES = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "core",
    "handler",
    "handlers",
    "misc",
}
LATE_IMPORTS = {
    "worker/channels/push.py": "the SDK takes a second to load",
    "backend/apps.py": "models may be imported only once Django is ready",
    "backend/privacy/apps.py": "models may be imported only once Django is ready",
}


def late_imports(module: ast.Module) -> Iterator[tuple[int, str]]:
    for function in functions(module):
        yield from imports_in(function)


def test_no_import_hides_in_a_function() -> None:
    found = [
        f"{path}:{line} {name}"
        for path in files(*PACKAGES)
        if str(path) not in LATE_IMPORTS
        for line, name in late_imports(tree(path))
    ]
    assert found == []


def test_a_late_import_would_be_seen() -> None:
    module = ast.parse("def f():\n    class A:\n        def g(self):\n            import celery\n")
    assert {name for _, name in late_imports(module)} == {"celery"}


def test_no_excuse_outlives_its_reason() -> None:
    for path in LATE_IMPORTS:
        assert list(late_imports(tree(Path(path)))), path


def test_module_names_say_what_is_inside() -> None:
    names = {part for path in files(*EVERYTHING) for part in path.with_suffix("").parts}
    assert "services" in names
    assert names & VAGUE_NAMES == set()


@pytest.mark.parametrize("package", EVERYTHING)
def test_no_file_is_too_long(package: str) -> None:
    lengths = {str(p): len((ROOT / p).read_text().splitlines()) for p in files(package)}
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST} == {}


def test_no_signals() -> None:
    """Django's signals run code that nobody sees at the call; Celery's are its only way in."""
    forbidden = ("django.dispatch", "django.db.models.signals", "django.core.signals")
    found = [
        f"{path}:{line} {name}"
        for path in files(*PACKAGES)
        for line, name in imports_in(tree(path))
        if name.startswith(forbidden)
    ]
    assert found == []


def test_no_business_logic_in_save() -> None:
    models = [path for path in files("backend") if "models" in path.with_suffix("").parts]
    methods = {f"{path}:{f.name}" for path in models for f in functions(tree(path))}
    assert models
    assert [name for name in methods if name.endswith((":save", ":delete"))] == []


def is_http_layer(path: Path) -> bool:
    return bool({"api", "admin"} & set(path.with_suffix("").parts))


def test_http_code_never_touches_the_orm() -> None:
    found = [
        f"{path}:{node.lineno}"
        for path in files("backend")
        if is_http_layer(path)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and node.attr in {"objects", "_base_manager"}
    ]
    assert found == []


def layer_files() -> list[Path]:
    layers = {"services", "selectors", "models"}
    return [path for path in files("backend") if layers & set(path.with_suffix("").parts)]


def test_domain_code_knows_no_request() -> None:
    found = [
        f"{path}:{line} {name}"
        for path in layer_files()
        for line, name in imports_in(tree(path))
        if name.startswith(("django.http", "django.views", "django.shortcuts"))
    ]
    assert found == []


def public_functions(path: Path) -> list[ast.FunctionDef]:
    body = tree(path).body
    return [n for n in body if isinstance(n, ast.FunctionDef) and not n.name.startswith("_")]


def service_functions() -> list[tuple[Path, ast.FunctionDef]]:
    parts = {"services", "selectors", "access"}
    chosen = [p for p in files("backend") if parts & set(p.with_suffix("").parts)]
    return [(path, function) for path in chosen for function in public_functions(path)]


def test_services_and_selectors_say_what_they_do() -> None:
    found = service_functions()
    assert len(found) > 30
    assert [f"{p}:{f.name}" for p, f in found if not ast.get_docstring(f)] == []


def exported(path: Path) -> set[str]:
    """What an area offers of this module: all of `services.py`, or what the package lists."""
    package = path.parent / "__init__.py"
    if path.name == "services.py" or not (ROOT / package).exists():
        return {function.name for function in public_functions(path)}
    return {alias.rpartition(".")[2] for _, alias in imports_in(tree(package))}


def test_services_that_act_take_keyword_arguments() -> None:
    """So that two ids cannot change places at a call. What acts is told who and when."""
    acting = [
        (path, function)
        for path, function in service_functions()
        if "services" in path.with_suffix("").parts and function.name in exported(path)
        if {"actor", "now"} <= {a.arg for a in (*function.args.args, *function.args.kwonlyargs)}
    ]
    assert len(acting) > 8
    assert [f"{p}:{f.name}" for p, f in acting if f.args.args] == []


def test_annotations_stay_text() -> None:
    """In every file with a function in it, so that imports for types alone cost nothing."""
    without = [
        str(path)
        for path in files(*EVERYTHING)
        if any(functions(tree(path)))
        and "__future__.annotations" not in {name for _, name in imports_in(tree(path))}
    ]
    assert without == []


def test_tasks_branch_on_nothing() -> None:
    tasks = [path for path in files("worker") if "tasks" in path.parts]
    branches = [
        f"{path}:{node.lineno}"
        for path in tasks
        for node in ast.walk(tree(path))
        if isinstance(node, ast.If | ast.Match | ast.For | ast.While | ast.Try | ast.IfExp)
    ]
    assert len(tasks) > 2
    assert branches == []
