"""What holds for every page: accessible, fitting, keeping the focus, saying what went wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PageMaker
from tests.browser.walking import enter, focused, overflow

SERIOUS = {"serious", "critical"}
CUT_LINES = """() => [...document.querySelectorAll('.line')]
    .filter(line => line.scrollWidth > line.clientWidth).length"""


def serious_findings(page: Page, axe: str) -> list[str]:
    # Through the debugger, so that the pages' policy may stay as strict as it is.
    page.evaluate(axe)
    found = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{rule['id']}: {json.dumps([node['html'][:120] for node in rule['nodes'][:3]])}"
        for rule in found["violations"]
        if rule["impact"] in SERIOUS
    ]


@pytest.mark.parametrize(("is_phone", "is_dark"), [(False, False), (True, True), (False, True)])
def test_axe_finds_nothing_serious_and_nothing_overflows(
    new_page: PageMaker, sign_in: Mapping[str, str], axe: str, is_phone: bool, is_dark: bool
) -> None:
    page = new_page(is_phone=is_phone, is_dark=is_dark)
    page.goto("/desk/sign-in")
    found = serious_findings(page, axe)
    enter(page, sign_in)
    found += serious_findings(page, axe)
    assert overflow(page) == 0
    for place in (0, 1) if is_phone else (0,):
        page.goto("/desk/")
        page.locator(".line-who a").nth(place).click()
        page.wait_for_selector("#course-title")
        for summary in page.locator("summary").all():
            if summary.is_visible():
                summary.click()
        found += serious_findings(page, axe)
        assert overflow(page) == 0
    assert found == []


@pytest.mark.parametrize(("is_phone", "is_dark"), [(True, False), (False, True)])
def test_the_same_holds_for_the_rota_the_ladder_and_what_is_planned(
    new_page: PageMaker,
    sign_in: Mapping[str, str],
    administrator: Mapping[str, str],
    axe: str,
    is_phone: bool,
    is_dark: bool,
) -> None:
    found = []
    office = new_page(is_phone=is_phone, is_dark=is_dark)
    enter(office, administrator)
    for path in ("on-call", "ladder", "ladder/change"):
        office.goto(f"/administrator/{path}")
        found += serious_findings(office, axe)
        assert overflow(office) == 0
    office.locator("button[value=down-1]").click()
    office.fill("#reason", "Nobody is here at night.")
    office.fill("#decided_by", "Ottilie")
    office.fill("#review_on", "2027-01-01")
    office.keyboard.press("Enter")
    expect(office.locator("#who-problem-2")).to_contain_text("clinical supervisor")
    expect(office.locator("#problem")).to_be_focused()
    expect(office.locator("#reason")).to_have_value("Nobody is here at night.")
    found += serious_findings(office, axe)
    desk = new_page(is_phone=is_phone, is_dark=is_dark)
    enter(desk, sign_in)
    desk.get_by_role("link", name="On call").click()
    found += serious_findings(desk, axe)
    assert overflow(desk) == 0
    desk.goto("/desk/")
    desk.locator(".line-who a").first.click()
    desk.get_by_role("link", name="Plan sessions").click()
    desk.locator(".planned-session summary").first.click()
    found += serious_findings(desk, axe)
    assert overflow(desk) == 0
    desk.get_by_label("Once").check()
    expect(desk.locator("#last_on")).to_be_hidden()
    assert found == []


@pytest.mark.parametrize("width", [320, 360, 412, 800])
def test_no_line_of_the_caseload_is_cut(
    new_page: PageMaker, sign_in: Mapping[str, str], width: int
) -> None:
    page = new_page(is_phone=True)
    page.set_viewport_size({"width": width, "height": 740})
    enter(page, sign_in, "es")
    # The longest words there are for a due time; a list that clips does not make the page wider.
    page.evaluate(
        "() => { for (const due of document.querySelectorAll('.due'))"
        " due.textContent = '118 min de retraso' }"
    )
    assert page.evaluate(CUT_LINES) == 0


def test_axe_would_find_something(new_page: PageMaker, axe: str) -> None:
    page = new_page()
    page.goto("/desk/sign-in")
    page.evaluate("() => document.querySelector('label[for=email]').remove()")
    assert any("label" in finding for finding in serious_findings(page, axe))


def test_the_list_refreshes_itself_and_keeps_the_focus(
    new_page: PageMaker, sign_in: Mapping[str, str]
) -> None:
    page = new_page()
    page.clock.install()
    enter(page, sign_in)
    page.locator(".line-who a").nth(3).focus()
    wanted = focused(page)
    page.evaluate("() => { document.getElementById('caseload').dataset.old = '1' }")
    with page.expect_response("**/desk/refresh") as answer:
        page.clock.fast_forward(31_000)
    assert answer.value.status == 200
    page.clock.resume()
    expect(page.locator("#caseload[data-old]")).to_have_count(0)
    expect(page.locator(f"#{wanted}")).to_be_focused()


def test_the_search_narrows_the_list_while_typing(
    new_page: PageMaker, sign_in: Mapping[str, str]
) -> None:
    page = new_page()
    enter(page, sign_in)
    page.locator("#wanted").press_sequentially("freya")
    expect(page.locator(".line")).to_have_count(1)
    expect(page.locator("#wanted")).to_be_focused()
    # Whom somebody looked for is in no address, and so in no history.
    assert page.url.endswith("/desk/")


def test_moving_along_the_chart_reads_the_day(
    new_page: PageMaker, sign_in: Mapping[str, str]
) -> None:
    page = new_page()
    enter(page, sign_in)
    page.locator(".line-who a").first.click()
    slider = page.get_by_label("Read a day")
    expect(page.locator("#day-told")).to_contain_text("Mood 1 · Craving 9")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#day-told")).not_to_contain_text("Mood 1 · Craving 9")
    assert "Mood" in (slider.get_attribute("aria-valuetext") or "")
    expect(page.locator(".cross")).to_be_visible()
    page.locator(".panel .plot").first.hover(position={"x": 5, "y": 20})
    expect(slider).to_have_value("0")


def test_when_the_server_is_gone_the_page_says_that_nothing_was_saved(
    new_page: PageMaker, sign_in: Mapping[str, str], complaints: list[str]
) -> None:
    page = new_page()
    enter(page, sign_in)
    page.locator(".line-who a").first.click()
    page.route("**/acknowledge", lambda route: route.abort())
    page.get_by_role("button", name="I have seen it").first.click()
    expect(page.locator("#said")).to_contain_text("Nothing was saved.")
    expect(page.get_by_role("button", name="I have seen it").first).to_be_enabled()
    complaints.clear()


def test_after_signing_out_the_back_button_shows_nobody(
    new_page: PageMaker, sign_in: Mapping[str, str]
) -> None:
    page = new_page()
    enter(page, sign_in)
    page.locator(".line-who a").first.click()
    page.wait_for_selector("#course-title")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_selector("#email")
    page.go_back()
    page.wait_for_selector("#email")
    assert "Kofi" not in page.content()
    assert page.title() == "Handrail"
