from __future__ import annotations

from django.apps import AppConfig


class PrivacyConfig(AppConfig):
    name = "backend.privacy"
    label = "privacy"

    def ready(self) -> None:
        from backend.privacy import replayers  # noqa: F401 - registers what a journal replays
