from __future__ import annotations

from dataclasses import astuple

import pytest

from backend.aftercare.texts import render
from backend.notifications.lock_screen import LOCK_SCREENS, lock_screen


def test_it_says_this_and_nothing_else() -> None:
    assert {tag: astuple(shown) for tag, shown in LOCK_SCREENS.items()} == {
        "en": ("Handrail", "You have a new message."),
        "es": ("Handrail", "Tienes un mensaje nuevo."),
    }


@pytest.mark.parametrize(
    ("tag", "language"), [("es-MX", "es"), ("ES", "es"), ("fr", "en"), ("", "en")]
)
def test_any_tag_finds_a_language(tag: str, language: str) -> None:
    assert lock_screen(tag) is LOCK_SCREENS[language]


@pytest.mark.parametrize("language", ["en", "es"])
def test_it_is_the_text_that_was_reviewed(language: str) -> None:
    shown = lock_screen(language)
    assert shown.title == render("lockscreen.title", language=language)
    assert shown.body == render("lockscreen.body", language=language)
