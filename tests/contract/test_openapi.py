"""The published document is complete, valid, and the one that is checked in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from backend.checks.routes import methods_of, routes
from tests.contract.calls import api_routes

CHECKED_IN = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"
PROBLEMS = CHECKED_IN.with_name("problems.md")
NEVER_IN_A_DOCUMENT = {
    "method_not_allowed": "the document names no such call",
    "not_acceptable": "the document names JSON alone",
    "internal_error": "nobody plans for it",
    "invalid_parameter": "of FHIR, which has a document of its own",
    "csrf_failed": "of the pages",
    "not_care_team": "of the pages",
    "alert_changed": "of the pages",
    "known_name": "of the commands",
    "no_demo": "of the commands",
}
PROBLEM = {"$ref": "#/components/schemas/Problem"}
METHODS = ("get", "post", "put", "patch", "delete")


class Operation(NamedTuple):
    name: str
    described: dict[str, Any]


@cache
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
    generate.cache_clear()
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
        and {kind: content["schema"] for kind, content in answer.get("content", {}).items()}
        != {"application/problem+json": PROBLEM}
    ]
    assert others == []


def contents(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every body that is sent or answered, with what it is."""
    for operation in operations(document):
        for content in operation.described.get("requestBody", {}).get("content", {}).values():
            yield f"{operation.name} request", content
        for status, answer in operation.described["responses"].items():
            for content in answer.get("content", {}).values():
                yield f"{operation.name} {status}", content


def examples_in(content: dict[str, Any]) -> list[Any]:
    named = [_followed(example) for example in content.get("examples", {}).values()]
    return named + ([content["example"]] if "example" in content else [])


def _followed(example: dict[str, Any]) -> Any:
    if "$ref" not in example:
        return example["value"]
    return generate()["components"]["examples"][example["$ref"].rpartition("/")[2]]["value"]


def test_every_body_has_an_example(document: dict[str, Any]) -> None:
    assert [what for what, content in contents(document) if not examples_in(content)] == []


def test_every_example_is_what_its_schema_says(document: dict[str, Any]) -> None:
    wrong = []
    for what, content in contents(document):
        schema = {**content["schema"], "components": document["components"]}
        for example in examples_in(content):
            found = Draft202012Validator(schema).iter_errors(example)
            wrong += [f"{what}: {error.message}" for error in found]
    assert wrong == []


def test_every_code_of_the_api_has_an_example_under_its_status(document: dict[str, Any]) -> None:
    shown = {
        (example["code"], example["status"], what.rpartition(" ")[2])
        for what, content in contents(document)
        for example in examples_in(content)
        if isinstance(example, dict) and "request_id" in example
    }
    assert [found for found in shown if str(found[1]) != found[2]] == []
    told = PROBLEMS.read_text().partition("## Fields")[0]
    written = set(re.findall(r"^\| `([^`]+)` \| \d+ \|", told, flags=re.MULTILINE))
    assert written - {code for code, *_ in shown} == NEVER_IN_A_DOCUMENT.keys()


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
