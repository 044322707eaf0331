"""Lets drf-spectacular describe msgspec structs, so that one class decodes, encodes, documents."""

from __future__ import annotations

from collections.abc import Iterator
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


COUNTRY = OpenApiParameter(
    "country",
    OpenApiTypes.STR,
    description="Where the phone is now, ISO 3166-1 alpha-2. Never guessed from an address.",
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
    return cast("dict[str, dict[str, Any]]", components)


def _structs(info: msgspec.inspect.Type) -> Iterator[type[msgspec.Struct]]:
    """Every struct that a type holds, itself included."""
    if isinstance(info, msgspec.inspect.StructType):
        yield info.cls
        for field in info.fields:
            yield from _structs(field.type)
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
