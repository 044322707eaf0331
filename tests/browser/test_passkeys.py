"""A passkey of a real browser, with the authenticator that Chromium carries for tests."""

from __future__ import annotations

from collections.abc import Mapping

from playwright.sync_api import Page, expect

from tests.browser.conftest import PageMaker
from tests.browser.walking import enter


def give_authenticator(page: Page) -> None:
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_a_passkey_stands_in_for_the_code(
    new_page: PageMaker, address: str, sign_in: Mapping[str, str]
) -> None:
    page = new_page()
    give_authenticator(page)
    # A passkey is made for a name; browsers refuse a bare address.
    named = address.replace("127.0.0.1", "localhost")
    enter(page, sign_in, at=named)
    page.get_by_role("link", name="Passkeys").click()
    page.fill("#name", "This laptop")
    page.click("#passkey")
    expect(page.locator("#main")).to_contain_text("This laptop")
    page.get_by_role("button", name="Sign out").click()
    page.fill("#email", sign_in["email"])
    page.fill("#password", sign_in["password"])
    page.click(".main-action")
    page.click("#passkey")
    page.wait_for_selector("#caseload")
    page.goto(f"{named}/desk/security")
    page.get_by_role("button", name="Remove").click()
    expect(page.locator("#main")).to_contain_text("You have none yet.")


def test_a_bare_address_offers_none(new_page: PageMaker, sign_in: Mapping[str, str]) -> None:
    page = new_page()
    enter(page, sign_in)
    page.goto("/desk/security")
    expect(page.locator("#passkey")).to_have_count(0)
