"""Middleware that pages need and the API does not: sessions, forms, messages, page headers.

A phone's request carries a bearer token, answers JSON and is measured; it goes past them.
"""

from __future__ import annotations

from typing import Any

from csp.middleware import CSPMiddleware
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.deprecation import MiddlewareMixin

API_PREFIX = "/api/v1/"


class _PagesOnly(MiddlewareMixin):
    """Comes first among the bases, so that the API never reaches the other one."""

    def __call__(self, request: HttpRequest) -> Any:
        if request.path_info.startswith(API_PREFIX):
            return self.get_response(request)
        return super().__call__(request)


class Session(_PagesOnly, SessionMiddleware):
    pass


class Csrf(_PagesOnly, CsrfViewMiddleware):
    """API views are exempt by themselves: a bearer token is never sent by a browser unasked."""


class Authentication(_PagesOnly, AuthenticationMiddleware):
    pass


class Message(_PagesOnly, MessageMiddleware):
    pass


class XFrameOptions(_PagesOnly, XFrameOptionsMiddleware):
    pass


class ContentSecurityPolicy(_PagesOnly, CSPMiddleware):
    pass
