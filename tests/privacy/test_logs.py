"""A log line holds what is on the list, and nothing that anybody added without thinking."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from backend.logs import ALLOWED_FIELDS, keep_allowed
from tests.conftest import ROOT

CANARY = "canary-in-the-log"
BEGIN = "import django, logging, structlog; django.setup();"
OURS = "log = structlog.get_logger('ours');"


def said(script: str) -> str:
    """What a process of its own, with our settings, writes to its log."""
    finished = subprocess.run(
        [sys.executable, "-c", BEGIN + script],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "backend.settings"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return finished.stderr


def lines(script: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in said(script).splitlines()]


def test_a_field_that_is_not_on_the_list_is_dropped():
    script = f"{OURS} log.info('stored', count=3, note='{CANARY}', email='{CANARY}@example.org')"
    (line,) = lines(script)
    assert (line["event"], line["count"]) == ("stored", 3)
    assert set(line) <= ALLOWED_FIELDS
    assert CANARY not in json.dumps(line)


def test_so_is_one_that_is_bound_or_comes_with_the_request():
    script = (
        f"structlog.contextvars.bind_contextvars(phone='{CANARY}', request_id='r');"
        f"{OURS} log.bind(words='{CANARY}').warning('refused', code='invalid_body')"
    )
    (line,) = lines(script)
    assert (line["request_id"], line["code"]) == ("r", "invalid_body")
    assert CANARY not in json.dumps(line)


@pytest.mark.parametrize("level", ["error", "exception"])
def test_of_an_exception_its_class_and_place_stay(level: str):
    raising = f"\ntry:\n  raise ValueError('{CANARY}')\nexcept ValueError as e:\n"
    (line,) = lines(f"{OURS}{raising}  log.{level}('failed', exc_info=e)")
    assert line["error"] == "ValueError" and line["where"]
    assert CANARY not in json.dumps(line)


def test_what_a_library_logs_loses_its_arguments():
    script = f"logging.getLogger('lib').error('could not send %s to %s', '{CANARY}', '{CANARY}')"
    (line,) = lines(script)
    assert line["event"] == "could not send %s to %s"
    assert CANARY not in json.dumps(line)


def test_a_librarys_own_fields_are_dropped_too():
    (line,) = lines(f"logging.getLogger('lib').error('oops', extra={{'body': '{CANARY}'}})")
    assert line["event"] == "oops" and CANARY not in json.dumps(line)


@pytest.mark.parametrize(
    "call",
    [
        f"log.warning('Invalid request from ip=1.2.3.4: Invalid HTTP request line: {CANARY}')",
        f"log.error('Error handling request %s', '/{CANARY}')",
        f"\ntry:\n  raise ValueError('{CANARY}')\nexcept ValueError:\n  log.exception('oops')",
    ],
    ids=["broken", "address", "exception"],
)
def test_the_web_server_quotes_no_request(call: str):
    """Its lines go through a handler of its own, and are no JSON."""
    own = "log = logging.getLogger('gunicorn.error'); log.propagate = False;"
    own += "log.addHandler(logging.StreamHandler());"
    assert CANARY not in said(own + call)
    assert "pid: 7" in said(own + "log.warning('Worker exiting (pid: %s)', 7)")


def test_without_the_list_it_would_be_there():
    """What is searched for is what would be written: the same event, past the one step."""
    event: dict[str, Any] = {"event": "stored", "note": CANARY}
    assert CANARY in json.dumps(event)
    assert CANARY not in json.dumps(keep_allowed(None, "info", event))


def test_no_field_on_the_list_is_one_that_people_fill():
    filled = {"note", "words", "name", "email", "phone", "cues", "helped", "reason", "password",
              "token", "body", "content", "push_target", "given_name", "family_name"}  # fmt: skip
    assert filled.isdisjoint(ALLOWED_FIELDS)
