"""Deny by default. Apart from `rest.py`, as REST framework imports this by name."""

from __future__ import annotations

from collections.abc import Mapping

from rest_framework import exceptions, permissions
from rest_framework.request import Request

ANONYMOUS = "anonymous"


class DeclaredRoles(permissions.BasePermission):
    """A route is closed unless it names, for each method, the roles that may call it."""

    def has_permission(self, request: Request, view: object) -> bool:
        if not hasattr(view, str(request.method).lower()):
            raise exceptions.MethodNotAllowed(str(request.method))
        declared: Mapping[str, frozenset[str]] = getattr(view, "allowed_roles", {})
        method = "GET" if request.method in ("HEAD", "OPTIONS") else request.method
        allowed = declared.get(str(method), frozenset())
        if ANONYMOUS in allowed:
            return True
        if request.user is None:
            raise exceptions.NotAuthenticated
        return getattr(request.user, "role", None) in allowed
