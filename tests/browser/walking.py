"""How people move through the pages."""

from __future__ import annotations

from collections.abc import Mapping

from playwright.sync_api import Page

from local.code import code_now


def enter(page: Page, sign_in: Mapping[str, str], language: str = "en", *, at: str = "") -> None:
    """Signs in and chooses the language."""
    page.goto(f"{at}/desk/sign-in")
    page.fill("#email", sign_in["email"])
    page.fill("#password", sign_in["password"])
    page.click(".main-action")
    page.fill("#code", code_now(sign_in["totp_secret"]))
    page.click(".main-action")
    page.wait_for_selector(".places")
    if language != "en":
        page.click(f"button[value={language}]")
        page.wait_for_selector(f"html[lang={language}]  .places")


def focused(page: Page) -> str:
    """What holds the focus, in a few words."""
    return str(
        page.evaluate(
            "() => { const e = document.activeElement;"
            " return e.id || e.value || e.textContent.trim().slice(0, 60) }"
        )
    )


def press_until(page: Page, key: str, wanted: str, *, most: int = 80) -> None:
    """Presses a key until the focus stands on what matches the selector."""
    for _ in range(most):
        page.keyboard.press(key)
        if page.evaluate("(wanted) => document.activeElement.matches(wanted)", wanted):
            return
    raise AssertionError(f"{wanted} cannot be reached by {key}; the focus is on {focused(page)!r}")


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    wide = page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
    return max(int(wide), 0)
