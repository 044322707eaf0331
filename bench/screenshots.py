"""Pictures of every page: `make screenshots`, or `python -m bench.screenshots`.

Boots a PostgreSQL of its own, seeds the demo and its cohort, drives Chromium and writes PNGs to
out/screenshots: phone and desktop, light and dark, English and Spanish.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Literal, cast

from playwright._impl._api_structures import SetCookieParam
from playwright.sync_api import Browser, Page, sync_playwright

from bench.web import FLAGS, Database, browser_path, fill, served
from local.code import fresh_code
from local.launch import LaunchError
from local.postgres import OWNER, WEB, WORKER
from local.programs import ROOT
from local.throw_away import ThrowAwayServers

OUT = ROOT / "out" / "screenshots"
SIZES = {"phone": (360, 740), "desktop": (1360, 900)}
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
LANGUAGES = ("en", "es")
_sessions: dict[str, list[SetCookieParam]] = {}
SignIns = Mapping[str, Mapping[str, str]]


def picture_all(browser: Browser, address: str, sign_ins: SignIns) -> int:
    """Takes every picture; returns how many."""
    count = 0
    for (size, (width, height)), theme, language in product(SIZES.items(), THEMES, LANGUAGES):
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=theme,
            locale=language,
            base_url=address,
            device_scale_factor=2 if size == "phone" else 1,
        )
        suffix = f"{size}-{theme}-{language}"
        count += _pages(context.new_page(), suffix, language, sign_ins["therapist"])
        context.clear_cookies()
        count += _office(context.new_page(), suffix, language, sign_ins["admin"])
        context.close()
    return count


def _pages(page: Page, suffix: str, language: str, sign_in: Mapping[str, str]) -> int:
    page.goto("/desk/sign-in")
    page.click(f"button[value={language}]")
    _take(page, f"1-sign-in-{suffix}")
    _enter(page, sign_in)
    page.click(f"button[value={language}]")
    _take(page, f"2-caseload-{suffix}")
    page.locator(".line-who a").first.click()
    _take(page, f"3-patient-{suffix}")
    for summary in page.locator(".alert .actions summary").all()[:2]:
        summary.click()
    page.locator(".panel .plot").nth(1).hover(position={"x": 150, "y": 20})
    _take(page, f"4-alert-{suffix}")
    for summary in page.locator(".session summary").all()[:2]:
        summary.click()
    page.locator(".outlook summary").click()
    page.locator(".programme").screenshot(path=OUT / f"5-programme-{suffix}.png")
    page.locator(".programme a").first.click()
    page.locator(".planned-session summary").first.click()
    _take(page, f"7-sessions-{suffix}")
    page.locator(".places a").nth(1).click()
    _take(page, f"8-on-call-{suffix}")
    return 7


def _office(page: Page, suffix: str, language: str, sign_in: Mapping[str, str]) -> int:
    """The administrator's pages, the first time with a shift and so with gaps."""
    page.goto("/desk/sign-in")
    _enter(page, sign_in)
    page.click(f"button[value={language}]")
    page.locator(".places a").first.click()
    if not page.locator(".stretch-shift").count():
        page.locator("#clinician option").nth(1).evaluate("option => { option.selected = true }")
        page.fill("#days", "5")
        page.click("#add .main-action")
    _take(page, f"9-rota-{suffix}")
    page.locator(".places a").nth(1).click()
    _take(page, f"10-ladder-{suffix}")
    page.click(".button.main-action")
    _take(page, f"11-change-ladder-{suffix}")
    return 3


def _enter(page: Page, sign_in: Mapping[str, str]) -> None:
    """Signs in once; the pages after that share the session, as each code works once."""
    kept = _sessions.get(sign_in["email"])
    if kept:
        page.context.add_cookies(kept)
        page.goto("/")
        return
    page.fill("#email", sign_in["email"])
    page.fill("#password", sign_in["password"])
    page.click(".main-action")
    page.fill("#code", fresh_code(sign_in["totp_secret"]))
    page.click(".main-action")
    page.wait_for_selector(".places")
    cookies = page.context.cookies()
    _sessions[sign_in["email"]] = [
        cast("SetCookieParam", c) for c in cookies if c["name"] == "sessionid"
    ]


def _take(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=OUT / f"{name}.png", full_page=True)


def _print_page(browser: Browser, address: str, sign_in: Mapping[str, str]) -> int:
    """What the printer gets, as it would look on paper."""
    context = browser.new_context(viewport={"width": 794, "height": 1123}, base_url=address)
    page = context.new_page()
    page.goto("/desk/sign-in")
    _enter(page, sign_in)
    page.locator(".line-who a").first.click()
    page.emulate_media(media="print")
    _take(page, "6-patient-print")
    context.close()
    return 1


def main() -> int:
    """0 when every picture was written."""
    began = time.monotonic()
    path = browser_path()
    if path is None:
        print("There is no Chromium here: apt-get install chromium, or name one in CHROMIUM.")
        return 1
    OUT.mkdir(parents=True, exist_ok=True)
    try:
        servers = ThrowAwayServers(os.environ, postgres=True, valkey=False)
    except LaunchError as error:
        print(error)
        return 1
    try:
        count = _run(servers, path)
    finally:
        servers.close()
    print(f"{count} pictures in {time.monotonic() - began:.0f} s: {OUT.relative_to(Path.cwd())}")
    return 0


def _run(servers: ThrowAwayServers, path: str) -> int:
    servers.postgres.make_database()
    address = servers.postgres.address
    database = Database(owner=address.url(OWNER), web=address.url(WEB), worker=address.url(WORKER))
    print("Seeding the demo and its cohort ...", flush=True)
    sign_ins = fill(database)
    print("Taking pictures ...", flush=True)
    with served(database) as web, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            return picture_all(browser, web, sign_ins) + _print_page(
                browser, web, sign_ins["therapist"]
            )
        finally:
            browser.close()


if __name__ == "__main__":
    sys.exit(main())
