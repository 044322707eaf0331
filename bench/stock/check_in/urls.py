"""The router of the tutorial, and an address that says that the server is up."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from rest_framework.routers import DefaultRouter

from bench.stock.check_in.views import CheckInViewSet

router = DefaultRouter()
router.register("check-ins", CheckInViewSet, basename="check-in")


def healthz(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


urlpatterns = [path("healthz/", healthz), path("", include(router.urls))]
