from __future__ import annotations

from django.apps import AppConfig


class AftercareConfig(AppConfig):
    name = "backend.aftercare"
    label = "aftercare"
