"""The dead-man's switch outside hears of clean rounds, is told nothing, and can break nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog
from pytest_django.fixtures import Settings

from tests.channels.answering import Answering, answering
from worker.channels import switch


@pytest.fixture
def outside(settings: Settings) -> Iterator[Answering]:
    with answering() as server:
        settings.HEALTHCHECK_PING_URL = f"{server.url}/ping/secret-of-ours"
        yield server


def test_it_hears_that_we_live_and_nothing_else(outside: Answering) -> None:
    switch.ping_switch()
    (asked,) = outside.asked
    assert (asked.method, asked.path, asked.body) == ("GET", "/ping/secret-of-ours", b"")


def test_a_refusal_is_a_line_without_the_address(outside: Answering) -> None:
    outside.status = 500
    with structlog.testing.capture_logs() as logged:
        switch.ping_switch()
    assert [line["event"] for line in logged] == ["switch_refused"]
    assert "secret-of-ours" not in str(logged)


def test_no_redirect_is_followed(outside: Answering) -> None:
    outside.status, outside.headers = 302, {"Location": f"{outside.url}/elsewhere"}
    switch.ping_switch()
    assert len(outside.asked) == 1


def test_nobody_there(settings: Settings) -> None:
    settings.HEALTHCHECK_PING_URL = "http://127.0.0.1:9/secret-of-ours"
    with structlog.testing.capture_logs() as logged:
        switch.ping_switch()
    assert [line["event"] for line in logged] == ["switch_unreached"]
    assert "secret-of-ours" not in str(logged)


def test_not_configured_means_not_asked(outside: Answering, settings: Settings) -> None:
    settings.HEALTHCHECK_PING_URL = ""
    switch.ping_switch()
    assert outside.asked == []
