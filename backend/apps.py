from __future__ import annotations

from django.apps import AppConfig


class BackendConfig(AppConfig):
    name = "backend"
    label = "backend"

    def ready(self) -> None:
        from backend import checks  # noqa: F401 - registers the system checks
