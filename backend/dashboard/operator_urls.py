"""The operator's addresses."""

from __future__ import annotations

from django.urls import path

from backend.dashboard.views import operator

app_name = "operator"

urlpatterns = [
    path("", operator.page, name="page"),
    path("refresh", operator.refresh, name="refresh"),
]
