"""What a locked phone shows. The same for every message, so that it tells nobody anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LockScreen:
    """Read by anyone who sees the phone."""

    title: str
    body: str


LOCK_SCREENS: Mapping[str, LockScreen] = {
    "en": LockScreen("Handrail", "You have a new message."),
    "es": LockScreen("Handrail", "Tienes un mensaje nuevo."),
}


def lock_screen(language: str) -> LockScreen:
    """In the language of a tag such as `es` or `es-MX`; English for any that is not here."""
    return LOCK_SCREENS.get(language.split("-")[0].lower(), LOCK_SCREENS["en"])
