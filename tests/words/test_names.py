"""Models, stored choices, URL segments and API fields use the glossary's names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from django.apps import apps
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.generators import SchemaGenerator

from .forbidden import IN_NAMES, NAME_EXCEPTIONS, forbidden_in, name_as_words


class Named(NamedTuple):
    """An identifier and where it stands."""

    place: str
    name: str


def model_names() -> Iterator[Named]:
    """Our models, their fields and reverse names, and the values their choices store."""
    for model in apps.get_models(include_auto_created=True):
        if not model.__module__.startswith("backend."):
            continue
        yield Named(model._meta.label, model.__name__)
        for field in model._meta.get_fields():
            place = f"{model._meta.label}.{field.name}"
            yield Named(place, field.name)
            for value, _ in getattr(field, "flatchoices", None) or ():
                yield Named(place, str(value))


def url_names() -> Iterator[Named]:
    """The fixed segments and the parameters of every route that leads to our own code."""
    yield from _below(get_resolver(), "")


def _below(resolver: URLResolver, prefix: str) -> Iterator[Named]:
    for pattern in resolver.url_patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _below(pattern, path)
        elif isinstance(pattern, URLPattern) and _is_ours(pattern):
            yield from (Named(path, part) for part in path_parts(path))


def _is_ours(pattern: URLPattern) -> bool:
    view: Any = pattern.callback
    view = getattr(view, "view_class", None) or getattr(view, "cls", None) or view
    return str(view.__module__).startswith("backend.")


def path_parts(path: str) -> list[str]:
    """The segments of a route, parameters by their name alone: `<uuid:alert_id>` is `alert_id`."""
    plain = re.sub(r"(?:\(\?P)?<(?:[^<>:]+:)?([^<>]+)>", r"/\1/", path)
    return [part for part in plain.split("/") if re.search(r"\w", part)]


def api_names() -> Iterator[Named]:
    """The properties, parameters and enumerated values of the published API document."""
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    yield from _inside(schema, "api")


def _inside(node: Any, place: str) -> Iterator[Named]:
    if isinstance(node, list):
        for index, inner in enumerate(node):
            yield from _inside(inner, f"{place}[{index}]")
    if not isinstance(node, dict):
        return
    if isinstance(node.get("properties"), dict):
        yield from (Named(place, name) for name in node["properties"])
    if isinstance(node.get("enum"), list):
        yield from (Named(place, str(value)) for value in node["enum"])
    if "in" in node and isinstance(node.get("name"), str):
        yield Named(place, node["name"])
    for key, inner in node.items():
        yield from _inside(inner, f"{place}.{key}")


def forbidden_names(names: Iterator[Named]) -> list[str]:
    return [
        f"{place}: {', '.join(terms)} in {name!r}"
        for place, name in names
        if (terms := forbidden_in(name_as_words(name), IN_NAMES, NAME_EXCEPTIONS))
    ]


def test_models_fields_and_stored_choices_use_the_glossary() -> None:
    names = list(model_names())
    assert any(name == "Patient" for _, name in names)
    assert forbidden_names(iter(names)) == []


def test_urls_use_the_glossary() -> None:
    names = list(url_names())
    assert any(name == "check-ins" for _, name in names)
    assert forbidden_names(iter(names)) == []


def test_the_api_document_uses_the_glossary() -> None:
    names = list(api_names())
    assert any(name == "craving" for _, name in names)
    assert forbidden_names(iter(names)) == []


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("client", True),
        ("access-log", True),
        ("risk_score", True),
        ("relapsed", True),
        ("opt_in", True),
        ("client_id", False),
        ("CareTeamMember", False),
        ("case_manager", False),
        ("user_id", False),
        ("warning_signs", False),
        ("score", False),
        ("catalogue", False),
    ],
)
def test_a_planted_name_is_judged_as_a_whole_word(name: str, found: bool) -> None:
    assert bool(forbidden_names(iter([Named("planted", name)]))) is found


def test_parameters_of_a_route_are_read_by_their_name() -> None:
    route = "api/v1/alerts/<uuid:client>/log/^(?P<post>\\d+)$"
    assert path_parts("api/v1/alerts/<uuid:client>/") == ["api", "v1", "alerts", "client"]
    assert len(forbidden_names(Named(route, part) for part in path_parts(route))) == 3


def test_names_are_found_anywhere_in_an_api_document() -> None:
    document = {
        "paths": {"/a": {"get": {"parameters": [{"in": "query", "name": "client"}]}}},
        "components": {"schemas": {"A": {"properties": {"team": {"enum": ["dirty", "steady"]}}}}},
    }
    assert {name for _, name in _inside(document, "api")} == {"client", "team", "dirty", "steady"}


def test_every_exception_has_a_reason() -> None:
    assert all(NAME_EXCEPTIONS.values())
