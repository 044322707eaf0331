"""Routes that fail, each in its way."""

from __future__ import annotations

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from backend.permissions import ANONYMOUS
from backend.rest import HandrailView

CANARY = "canary: craving 9 of alice@example.org"


class Fails(HandrailView):
    authentication_classes = ()
    allowed_roles = {"GET": frozenset({ANONYMOUS})}

    def get(self, request: Request) -> Response:
        raise RuntimeError(CANARY)


class Unreachable(Fails):
    def get(self, request: Request) -> Response:
        raise OperationalError(CANARY)


def fails_outside(request: HttpRequest) -> HttpResponse:
    raise RuntimeError(CANARY)


urlpatterns = [
    path("api/v1/fails", Fails.as_view()),
    path("api/v1/unreachable", Unreachable.as_view()),
    path("api/v1/fails-outside", fails_outside),
]

handler404 = "backend.health.not_found"
handler500 = "backend.health.server_error"
