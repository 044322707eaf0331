"""The database goes away in the middle of a request: the phone is told to keep what it holds."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, connections

from backend.aftercare.models import AcuteReport, Alert
from backend.intake import services
from tests.people import People
from tests.phones import Phone, check_in_body


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The server takes no connection while this is in force."""
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "PORT", "1")
    return monkeypatch


@pytest.fixture
def shown_phone(committed_db: None, people: People, phone: Phone) -> Phone:
    """A phone whose people stand in the database for every connection to see."""
    return phone


@pytest.mark.parametrize("path", ["/check-ins", "/sync"])
def test_a_request_that_nobody_could_look_at_is_kept_and_helped(
    path: str, shown_phone: Phone, away: pytest.MonkeyPatch
):
    answer = shown_phone.post(f"{path}?country=US", check_in_body(not_safe=True))
    away.undo()
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["keep"]) == (503, "unavailable", True)
    assert int(answer["Retry-After"]) > 0
    assert "988" in {line["call"] for line in problem["crisis_resources"]}
    assert problem["monitoring"]["told"] is False
    assert not Alert.objects.exists()


@pytest.mark.parametrize("path", ["/check-ins", "/sync"])
def test_a_refusal_is_not_given_for_what_could_not_be_heard(
    path: str, shown_phone: Phone, monkeypatch: pytest.MonkeyPatch
):
    body = check_in_body(not_safe=True, mood=99)
    sent = body if path == "/check-ins" else {"changes": [body], "more": 1}
    with monkeypatch.context() as patch:
        patch.setattr(services, "receive_refused", after_the_end_of_its_session)
        answer = shown_phone.post(path, sent)
    assert (answer.status_code, answer.json()["keep"]) == (503, True)
    assert not AcuteReport.objects.exists()

    again = shown_phone.post(path, sent)
    assert (again.status_code, again.json()["keep"]) == (400, False)
    assert Alert.objects.get().severity == "critical"


_receive_refused = services.receive_refused


def after_the_end_of_its_session(**given: Any) -> services.Refused:
    """As it would go when PostgreSQL ends this session just before."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    with connections["audit"].cursor() as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])
    return _receive_refused(**given)
