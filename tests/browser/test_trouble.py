"""The main job: find who needs someone first, read why, and do something about it."""

from __future__ import annotations

from collections.abc import Mapping

from playwright.sync_api import Page, expect

from local.code import code_now
from tests.browser.conftest import PageMaker
from tests.browser.walking import enter, overflow, press_until

# The one of the demo's people who is in trouble.
FIRST = "Kofi Asante"


def first_line(page: Page) -> str:
    return page.locator(".line").first.inner_text()


def test_the_one_in_trouble_is_first_and_is_helped(
    new_page: PageMaker, sign_in: Mapping[str, str]
) -> None:
    page = new_page()
    enter(page, sign_in)
    line = first_line(page)
    assert FIRST in line
    assert "Reported craving 9 of 10." in line
    assert "due in" in line
    page.get_by_role("link", name=FIRST).click()
    card = page.locator(".alert").first
    expect(card).to_contain_text("Reported mood 1 of 10.")
    assert page.locator(".panel").count() == 5
    card.get_by_text("Write down what you did").click()
    card.get_by_label("A call, a message, a visit").fill("Half a sentence")
    card.get_by_role("button", name="I have seen it").click()
    expect(page.locator("#said")).to_have_text("Saved: you have seen it.")
    expect(card.get_by_role("heading")).to_be_focused()
    # What was being written about it is still there.
    expect(card.get_by_label("A call, a message, a visit")).to_have_value("Half a sentence")
    card.get_by_label("A call, a message, a visit").fill("Called, will come today.")
    card.get_by_role("button", name="Save what I did").click()
    expect(card.locator(".acts")).to_contain_text("Called, will come today.")
    expect(card.locator(".acts li")).to_have_count(2)
    card.get_by_text("Resolve with an outcome").click()
    card.get_by_label("Reached", exact=True).check()
    card.get_by_role("button", name="Resolve this alert").click()
    expect(page.locator("#said")).to_have_text("Saved: the alert is resolved.")
    expect(card).to_contain_text("Resolved: Reached")
    assert card.get_by_role("button").count() == 0
    page.goto("/desk/")
    assert FIRST not in first_line(page)


def test_by_the_keyboard_alone(new_page: PageMaker, sign_in: Mapping[str, str]) -> None:
    page = new_page()
    page.goto("/desk/sign-in")
    expect(page.locator("input:focus")).to_be_visible()
    page.keyboard.type(sign_in["email"])
    page.keyboard.press("Tab")
    page.keyboard.type(sign_in["password"])
    page.keyboard.press("Enter")
    expect(page.locator("#code")).to_be_focused()
    page.keyboard.type(code_now(sign_in["totp_secret"]))
    page.keyboard.press("Enter")
    page.wait_for_selector("#caseload")
    press_until(page, "Tab", ".line-who a")
    assert FIRST in first_line(page)
    page.keyboard.press("Enter")
    page.wait_for_selector("#course-title")
    press_until(page, "Tab", ".acknowledge button")
    page.keyboard.press("Enter")
    card = page.locator(".alert").first
    expect(card.get_by_role("heading")).to_be_focused()
    press_until(page, "Tab", ".act summary", most=3)
    page.keyboard.press("Enter")
    press_until(page, "Tab", "textarea", most=2)
    page.keyboard.type("Called.")
    # Past the day to look again, which is a stop for each of its parts.
    press_until(page, "Tab", "button", most=6)
    page.keyboard.press("Space")
    expect(card.locator(".acts")).to_contain_text("Called.")
    expect(card.get_by_role("heading")).to_be_focused()
    press_until(page, "Tab", ".resolve summary", most=4)
    page.keyboard.press("Enter")
    press_until(page, "Tab", "input[type=radio]", most=2)
    page.keyboard.press("ArrowDown")
    press_until(page, "Tab", ".resolve button", most=4)
    page.keyboard.press("Enter")
    expect(card).to_contain_text("Resolved: Not reached")
    expect(card.get_by_role("heading")).to_be_focused()


def test_in_spanish_on_a_phone(new_page: PageMaker, sign_in: Mapping[str, str]) -> None:
    page = new_page(is_phone=True, language="es")
    enter(page, sign_in, "es")
    assert FIRST in first_line(page)
    assert "Comunicó un deseo de consumir de 9 sobre 10." in first_line(page)
    assert overflow(page) == 0
    page.get_by_role("link", name=FIRST).tap()
    expect(page.locator("h1")).to_contain_text(FIRST)
    assert overflow(page) == 0
    card = page.locator(".alert").first
    card.get_by_role("button", name="Lo he visto").tap()
    expect(page.locator("#said")).to_have_text("Guardado: lo has visto.")
    card.get_by_text("Resolver con un resultado").tap()
    card.get_by_label("Se contactó").check()
    card.get_by_role("button", name="Resolver este aviso").tap()
    expect(card).to_contain_text("Resuelto: Se contactó")
    assert overflow(page) == 0


def test_without_scripts(new_page: PageMaker, sign_in: Mapping[str, str]) -> None:
    page = new_page(has_scripts=False)
    enter(page, sign_in)
    page.fill("#wanted", "kofi")
    page.get_by_role("button", name="Find").click()
    assert page.locator(".line").count() == 1
    page.get_by_role("link", name=FIRST).click()
    assert page.locator(".panel .line-path").count() == 5
    card = page.locator(".alert").first
    card.get_by_role("button", name="I have seen it").click()
    expect(page.locator("#said")).to_contain_text("Saved: you have seen it.")
    card.get_by_text("Resolve with an outcome").click()
    card.get_by_label("Reached", exact=True).check()
    card.get_by_role("button", name="Resolve this alert").click()
    expect(page.locator("#said")).to_contain_text("Saved: the alert is resolved.")


def test_pressing_twice_does_one_thing(new_page: PageMaker, sign_in: Mapping[str, str]) -> None:
    page = new_page()
    enter(page, sign_in)
    page.get_by_role("link", name=FIRST).click()
    card = page.locator(".alert").first
    card.get_by_role("button", name="I have seen it").dblclick()
    expect(card.get_by_role("heading")).to_be_focused()
    page.reload()
    expect(card.locator(".acts li")).to_have_count(1)
