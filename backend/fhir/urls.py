"""The FHIR routes, made of the registry: each type has its own, so that each says who may call."""

from __future__ import annotations

from django.urls import URLPattern, path

from backend.fhir.api import views
from backend.fhir.registry import KINDS


def _of_each_kind() -> list[URLPattern]:
    return [
        route
        for kind in KINDS
        for route in (
            path(kind.name, views.SearchView.as_view(kind=kind)),
            path(f"{kind.name}/{kind.route}", views.ReadView.as_view(kind=kind)),
        )
    ]


urlpatterns = [
    path("metadata", views.MetadataView.as_view()),
    path("Patient/<uuid:patient_id>/$everything", views.EverythingView.as_view()),
    *_of_each_kind(),
    path("<path:address>", views.UnknownView.as_view()),
]
