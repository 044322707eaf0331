"""Every route says who may call it, method by method."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.views import APIView

from backend.accounts.actor import Role
from backend.permissions import ANONYMOUS, DeclaredRoles
from backend.start import ROUTES

API_PREFIX = "api/"
# These answer for the routes around them: HEAD and OPTIONS need what GET needs.
FREE_METHODS = ("head", "options", "trace")
KNOWN_ROLES = frozenset({ANONYMOUS, *(role.value for role in Role if role is not Role.SYSTEM)})


@register(ROUTES)
def routes_declare_roles(**_: Any) -> list[CheckMessage]:
    """An error for each route of the API that is open by oversight, or closed by a slip."""
    return [
        Error(
            f"{path}: {fault}.",
            "Give the view `allowed_roles` with a set of roles for each of its methods.",
            id="handrail.E009",
        )
        for path, callback in routes(get_resolver())
        for fault in faults_of(path, callback)
    ]


def routes(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every address with what answers it."""
    for pattern in resolver.url_patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern, path)
        elif isinstance(pattern, URLPattern):
            yield path, pattern.callback


def methods_of(view: type[APIView]) -> set[str]:
    """The methods this view answers itself, in capitals."""
    return {
        method.upper()
        for method in view.http_method_names
        if method not in FREE_METHODS and hasattr(view, method)
    }


def faults_of(path: str, callback: Any) -> Iterator[str]:
    """What is wrong with how this route is protected; nothing for a sound one."""
    view = getattr(callback, "cls", None)
    if view is None or not issubclass(view, APIView):
        if path.startswith(API_PREFIX):
            yield "is below the API and not a REST framework view"
        return
    given: Mapping[str, Any] = getattr(callback, "initkwargs", {})
    if DeclaredRoles not in given.get("permission_classes", view.permission_classes):
        yield "does not use DeclaredRoles"
    declared = given.get("allowed_roles", getattr(view, "allowed_roles", {}))
    answered = methods_of(view)
    for method in sorted(answered):
        if not declared.get(method):
            yield f"names nobody who may call {method}"
    for method in sorted(declared):
        if method not in answered:
            yield f"names roles for {method}, which it does not answer"
        if unknown := sorted(set(declared[method]) - KNOWN_ROLES):
            yield f"names unknown roles for {method}: {', '.join(unknown)}"
