"""The page with the phones: its policy, and what a real browser shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import httpx
import pytest
from playwright.sync_api import Browser, Page

from local.fcm import LocalFcm
from tests.local_fcm.conftest import SEND, envelope

PAGE = Path(__file__).parents[2] / "local" / "fcm" / "page"


@pytest.mark.parametrize("path", ["/", "/app.js", "/app.css", "/icon.svg", "/messages"])
def test_everything_comes_with_a_strict_policy(http: httpx.Client, path: str) -> None:
    answer = http.get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert answer.status_code == 200
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_the_page_has_nothing_inline_and_nothing_foreign() -> None:
    html = (PAGE / "index.html").read_text()
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", html)
    assert re.findall(r"<script[^>]*>(.*?)</script>", html) == [""]
    for file in PAGE.iterdir():
        foreign = file.read_text().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|//[a-z]+\.", foreign), file.name


def test_every_mode_can_be_chosen() -> None:
    from local.fcm import Mode

    offered = re.findall(r'^  \["(\w+)", ', (PAGE / "app.js").read_text(), re.MULTILINE)
    assert sorted(offered) == sorted(Mode)


@pytest.fixture(params=[(390, 844), (1280, 900)], ids=["phone", "desktop"])
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height})
    opened = context.new_page()
    problems: list[str] = []
    opened.on("console", lambda entry: problems.append(entry.text))
    opened.on("pageerror", lambda error: problems.append(str(error)))
    yield opened
    context.close()
    assert problems == []


def test_phones_and_cards(fcm: LocalFcm, http: httpx.Client, page: Page) -> None:
    page.goto(fcm.url)
    page.get_by_role("heading", name="No messages yet").wait_for()
    for title, collapse in [("First", "1"), ("Second", "2"), ("First again", "1")]:
        body = envelope(collapse=collapse, notification={"title": title, "body": "<b>x</b>"})
        http.post(SEND, json=body)
    http.post(SEND, json=envelope("another-phone"))
    page.get_by_text("4 pushes, 3 messages seen on 2 phones").wait_for()
    assert page.locator(".phone").count() == 2
    cards = page.get_by_role("region", name="Phone a-phone").locator(".card")
    assert cards.locator(".card-title").all_text_contents() == ["First again", "Second"]
    assert cards.nth(0).get_by_text("pushed 2 times, seen once").count() == 1
    assert cards.nth(1).get_by_text("seen once").count() == 0
    assert cards.nth(0).locator(".card-body").text_content() == "<b>x</b>"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_controls_work(fcm: LocalFcm, http: httpx.Client, page: Page) -> None:
    http.post(SEND, json=envelope())
    page.goto(fcm.url)
    page.locator(".card").wait_for()
    page.get_by_label("Answer every message with").select_option("quota")
    page.wait_for_function("fetch('/behaviour').then(a => a.json()).then(r => r.length === 1)")
    assert http.post(SEND, json=envelope()).status_code == 429
    page.get_by_role("button", name="Clear messages").click()
    page.get_by_role("heading", name="No messages yet").wait_for()
    assert fcm.messages == []


COLOURS = """() => {
  const light = (text) => {
    const parts = text.match(/[\\d.]+/g).slice(0, 3).map((part) => {
      const share = Number(part) / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  const ratio = (one, two) => (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
  const solid = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (!/, 0\\)$/.test(colour)) return colour;
    }
  };
  return [...document.querySelectorAll("h1, h2, #summary, label, select, button, .card p, li")]
    .filter((node) => node.checkVisibility())
    .map((node) => [node.textContent.trim().slice(0, 20),
      ratio(light(getComputedStyle(node).color), light(solid(node)))]);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out(
    fcm: LocalFcm, http: httpx.Client, page: Page, scheme: Literal["light", "dark"]
) -> None:
    """WCAG 2.2, 1.4.3: at least 4.5 to 1."""
    page.emulate_media(color_scheme=scheme)
    for _ in range(2):
        body = envelope(android={"collapse_key": "1", "priority": "high"})
        http.post(SEND, json=body)
    page.goto(fcm.url)
    page.get_by_text("seen once").wait_for()
    measured = page.evaluate(COLOURS)
    assert len(measured) > 8
    assert [entry for entry in measured if entry[1] < 4.5] == []
