from __future__ import annotations

from django.apps import AppConfig


class ProgramConfig(AppConfig):
    name = "backend.program"
    label = "program"
