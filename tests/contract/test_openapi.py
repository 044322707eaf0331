"""The published document is complete, valid, and the one that is checked in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from openapi_spec_validator import OpenAPIV31SpecValidator

from backend.checks.routes import methods_of, routes
from tests.contract.calls import api_routes

CHECKED_IN = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"
PROBLEM = {"$ref": "#/components/schemas/Problem"}
METHODS = ("get", "post", "put", "patch", "delete")


class Operation(NamedTuple):
    name: str
    described: dict[str, Any]


def generate() -> dict[str, Any]:
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return json.loads(json.dumps(schema, default=str))  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return generate()


def operations(document: dict[str, Any]) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method in set(methods) & set(METHODS):
            yield Operation(f"{method.upper()} {path}", methods[method])


def test_it_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_generating_it_warns_of_nothing() -> None:
    GENERATOR_STATS.enable_trace_lineno()
    with GENERATOR_STATS.silence():
        generate()
        assert not GENERATOR_STATS._warn_cache
        assert not GENERATOR_STATS._error_cache


def test_every_operation_has_a_name_of_its_own(document: dict[str, Any]) -> None:
    ids = [operation.described["operationId"] for operation in operations(document)]
    assert len(ids) == len(set(ids)) > 15


def test_every_operation_says_what_it_does(document: dict[str, Any]) -> None:
    silent = [
        operation.name
        for operation in operations(document)
        if not (operation.described.get("summary") or operation.described.get("description"))
    ]
    assert silent == []


def test_every_error_is_a_problem(document: dict[str, Any]) -> None:
    others = [
        f"{operation.name} {status}"
        for operation in operations(document)
        for status, answer in operation.described["responses"].items()
        if int(status) >= 400
        and answer.get("content") != {"application/problem+json": {"schema": PROBLEM}}
    ]
    assert others == []


def test_what_needs_a_token_says_401(document: dict[str, Any]) -> None:
    closed = [operation for operation in operations(document) if "security" in operation.described]
    assert len(closed) > 10
    assert [o.name for o in closed if "401" not in o.described["responses"]] == []


def test_every_route_is_in_it(document: dict[str, Any]) -> None:
    documented = {operation.name for operation in operations(document)}
    answered = {
        f"{method} {route.documented}" for route in api_routes() for method in route.answered
    }
    assert answered - documented == {"GET /api/openapi.json", "GET /api/docs"}
    assert documented - answered == set()


def test_the_server_answers_the_same(document: dict[str, Any]) -> None:
    answer = Client().get("/api/openapi.json")
    assert answer.status_code == 200
    assert answer.json() == document


def test_the_checked_in_copy_is_the_same(document: dict[str, Any]) -> None:
    command = "manage.py spectacular --format openapi-json --file docs/openapi.json"
    assert json.loads(CHECKED_IN.read_text()) == document, f"run: {command}"


def test_the_browser_of_the_document_needs_no_other_server() -> None:
    page = Client().get("/api/docs").content.decode()
    assert "swagger-ui" in page
    assert "http://" not in page.replace("http://testserver", "")
    assert "https://" not in page


def test_the_helpers_see_the_routes() -> None:
    assert methods_of.__doc__ and routes.__doc__
    assert len(api_routes()) > 15
