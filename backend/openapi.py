"""Lets drf-spectacular describe msgspec structs, so that one class decodes, encodes, documents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast

import msgspec
import msgspec.inspect
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

REFERENCE = "#/components/schemas/{name}"
EXAMPLES = Path(__file__).with_name("openapi_examples.json")
A_REQUEST_ID = "db33090d9b1b4401bc8cdd2527a6baf9"


COUNTRY = OpenApiParameter(
    "country",
    OpenApiTypes.STR,
    description="Where the phone is now, ISO 3166-1 alpha-2. Never guessed from an address.",
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    required=True,
    description='The revision that the change was made on, for example `"2"`.',
)


class Problem(msgspec.Struct, omit_defaults=True):
    """An error, as RFC 9457 has it. Branch on `code`; show `detail`."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    request_id: str
    errors: list[dict[str, str]] = []
    crisis_resources: list[dict[str, Any]] = []


def _components(kind: type[msgspec.Struct]) -> dict[str, dict[str, Any]]:
    _schemas, components = msgspec.json.schema_components((kind,), ref_template=REFERENCE)
    return cast("dict[str, dict[str, Any]]", _opened(components))


def _opened(schema: Any) -> Any:
    """Says of an object without named fields that it has any: generators else make it empty."""
    if isinstance(schema, list):
        return [_opened(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _opened(part) for name, part in schema.items()}
    is_bare = schema.get("type") == "object" and "properties" not in schema
    return {"additionalProperties": True, **found} if is_bare else found


def _structs(info: msgspec.inspect.Type) -> Iterator[type[Any]]:
    """Every struct and every enumeration that a type holds, itself included."""
    if isinstance(info, msgspec.inspect.StructType):
        yield info.cls
        for field in info.fields:
            yield from _structs(field.type)
    elif isinstance(info, msgspec.inspect.EnumType):
        yield info.cls
    elif isinstance(info, msgspec.inspect.UnionType):
        for part in info.types:
            yield from _structs(part)
    elif isinstance(info, msgspec.inspect.CollectionType):
        yield from _structs(info.item_type)


class StructExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Any `msgspec.Struct` given to `extend_schema`."""

    target_class = msgspec.Struct
    match_subclasses = True

    @classmethod
    def _matches(cls, target: Any) -> bool:
        kind = target if isinstance(target, type) else type(target)
        return issubclass(kind, msgspec.Struct)

    def _kind(self) -> type[msgspec.Struct]:
        return self.target if isinstance(self.target, type) else type(self.target)

    def get_name(self, auto_schema: AutoSchema, direction: Any) -> str:
        return self._kind().__name__

    def map_serializer(self, auto_schema: AutoSchema, direction: Any) -> dict[str, Any]:
        kind = self._kind()
        components = _components(kind)
        for nested in _structs(msgspec.inspect.type_info(kind)):
            if nested is not kind:
                component = ResolvedComponent(  # type: ignore[no-untyped-call]
                    name=nested.__name__,
                    type=ResolvedComponent.SCHEMA,
                    object=nested,
                    schema=components[nested.__name__],
                )
                auto_schema.registry.register_on_missing(component)
        return components[kind.__name__]


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "backend.accounts.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "From `POST /api/v1/sign-in`."}


def problems(*statuses: int) -> dict[Any, OpenApiResponse]:
    """The error answers of an operation, for `extend_schema(responses=...)`."""
    problem = cast("type[serializers.Serializer[Any]]", Problem)
    return {(status, "application/problem+json"): OpenApiResponse(problem) for status in statuses}


@cache
def _examples() -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(EXAMPLES.read_text(encoding="utf-8")))


def add_examples(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Puts the examples into the finished document: a hook of drf-spectacular."""
    for methods in result["paths"].values():
        for operation in methods.values():
            _exemplify(operation)
    result["components"]["examples"] = {
        code: {"value": _problem_example(code)} for code in _examples()["problems"]
    }
    return result


def _exemplify(operation: dict[str, Any]) -> None:
    name = operation["operationId"]
    known = _examples()["operations"].get(name, {})
    if "request" in known:
        for content in operation["requestBody"]["content"].values():
            content["example"] = known["request"]
    for status, answer in operation["responses"].items():
        for content in answer.get("content", {}).values():
            if int(status) >= 400:
                content["examples"] = _problem_examples(name, status)
            elif known.get("answers"):
                any_of_them = next(iter(known["answers"].values()))
                content["example"] = known["answers"].get(status, any_of_them)


def _problem_examples(operation: str, status: str) -> dict[str, Any]:
    """One for each code that this operation may answer under this status."""
    usual, own = _examples()["usual_codes"], _examples()["codes"].get(operation, {})
    codes = own.get(status) or usual.get(status, [])
    return {code: {"$ref": f"#/components/examples/{code}"} for code in codes}


def _problem_example(code: str) -> dict[str, Any]:
    known = _examples()["problems"][code]
    return {
        "type": f"urn:handrail:problem:{code}",
        "title": HTTPStatus(known["status"]).phrase,
        "code": code,
        "request_id": A_REQUEST_ID,
        "crisis_resources": _examples()["crisis_resources"],
        **known,
    }
