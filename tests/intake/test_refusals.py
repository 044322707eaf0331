"""What is refused: a clear problem with the crisis lines, nothing stored, nothing leaked. And with
"not safe" in the same body: the alert is there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from backend.accounts.rate_limits import Limit
from backend.aftercare.models import AcuteReport, Alert, AlertEvidence
from backend.intake.api.check_ins import CheckInsView
from backend.notifications.models import Notification
from backend.tracking.models import AssessmentRequest, CheckIn
from tests.people import People, make_device
from tests.phones import Phone, check_in_body

TOMORROW = datetime.now(UTC) + timedelta(days=2)

BAD: dict[str, tuple[dict[str, Any], int, str]] = {
    "wrong type": ({"mood": "six"}, 400, "/mood"),
    "out of range": ({"craving": 11}, 400, "/craving"),
    "not a whole number": ({"mood": 6.5}, 400, "/mood"),
    "unknown field": ({"mood": 6, "patient_id": str(uuid4())}, 400, ""),
    "unknown kind": ({"kind": "weekly", "mood": 6}, 400, "/kind"),
    "future date": ({"mood": 6, "local_date": TOMORROW.date().isoformat()}, 400, "/local_date"),
    "future time": ({"mood": 6, "recorded_at": TOMORROW.isoformat()}, 400, "/recorded_at"),
    "no zone": ({"mood": 6, "recorded_at": "2026-03-02T20:00:00"}, 400, "/recorded_at"),
    "unknown zone": ({"mood": 6, "time_zone": "Mars/Olympus"}, 400, "/time_zone"),
    "years ago": ({"mood": 6, "local_date": "1970-01-01"}, 400, "/local_date"),
    "not quarters": ({"sleep_hours": 7.1}, 400, "/sleep_hours"),
    "NUL": ({"mood": 6, "note": "a\x00b"}, 400, ""),
    "1 MB note": ({"mood": 6, "note": "x" * 1_000_000}, 413, ""),
    "long note": ({"mood": 6, "note": "x" * 5000}, 400, "/note"),
    "contradiction": ({"use_reported": False, "use_substances": ["alcohol"]}, 400, "/use_reported"),
    "bad id": ({"id": "not-a-uuid", "mood": 6}, 400, "/id"),
    "a list of a hundred": ({"cues": ["x"] * 100}, 400, "/cues"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_body_is_a_clear_problem_and_stores_nothing(name: str, phone: Phone):
    items, status, pointer = BAD[name]
    answer = phone.post("/check-ins", check_in_body(**items))
    problem = answer.json()
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert problem.get("errors", [{"pointer": ""}])[0]["pointer"] == pointer
    assert problem["crisis_resources"]
    # Nothing suggests that somebody will read what was not stored.
    assert problem["monitoring"]["told"] is False
    assert "was not saved. No one has seen it." in problem["monitoring"]["statement"]
    assert not CheckIn.objects.exists()
    assert not AcuteReport.objects.exists()
    assert not AssessmentRequest.objects.exists()


@pytest.mark.parametrize("name", BAD)
def test_not_safe_is_heard_in_the_same_bad_body(name: str, phone: Phone, people: People):
    items, status, _pointer = BAD[name]
    make_device(people.therapist.user)
    answer = phone.post("/check-ins", check_in_body(not_safe=True, **items))
    assert answer.status_code == status
    assert not CheckIn.objects.exists()
    assert Alert.objects.get().severity == "critical"
    assert Notification.objects.filter(recipient=people.therapist.user).count() == 1
    assert answer.json()["support"]["emergency_first"] is True
    assert answer.json()["monitoring"]["statement"]


def test_an_empty_check_in_is_refused(phone: Phone):
    answer = phone.post("/check-ins", check_in_body())
    assert answer.json()["errors"][0]["code"] == "empty_check_in"


def test_everything_wrong_is_listed_at_once(phone: Phone):
    body = check_in_body(time_zone="Mars/Olympus", local_date="1970-01-01")
    codes = [error["code"] for error in phone.post("/check-ins", body).json()["errors"]]
    assert codes == ["empty_check_in", "unknown_time_zone", "too_long_ago"]


@pytest.mark.parametrize("raw", [b" ", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 5000])
def test_what_is_not_a_check_in_at_all_is_a_problem_and_never_a_crash(raw: bytes, phone: Phone):
    answer = phone.post("/check-ins", raw)
    assert answer.status_code == 400
    assert answer.json()["crisis_resources"]


def test_another_content_type_is_refused_but_heard(phone: Phone):
    raw = msgspec.json.encode(check_in_body(not_safe=True))
    answer = phone.client.generic(
        "POST",
        "/api/v1/check-ins",
        data=raw,
        content_type="text/plain",
        headers={"authorization": f"Bearer {phone.token}"},
    )
    assert answer.status_code == 415
    assert Alert.objects.count() == 1


def test_the_same_bad_body_again_tells_nobody_again(phone: Phone, people: People):
    make_device(people.therapist.user)
    body = check_in_body(not_safe=True, mood="six")
    for _ in range(3):
        phone.post("/check-ins", body)
    assert (AcuteReport.objects.count(), Alert.objects.get().round) == (1, 1)
    assert Notification.objects.filter(recipient=people.therapist.user).count() == 1


def test_the_corrected_retry_joins_the_same_alert_and_tells_nobody_again(
    phone: Phone, people: People
):
    make_device(people.therapist.user)
    body = check_in_body(not_safe=True, mood="six")
    phone.post("/check-ins", body)
    assert phone.post("/check-ins", {**body, "mood": 6}).status_code == 201
    alert = Alert.objects.get()
    assert (alert.round, alert.evidence.count()) == (1, 2)
    assert Notification.objects.filter(recipient=people.therapist.user).count() == 1


def test_a_worse_retry_is_news(phone: Phone):
    body = check_in_body(craving=9, mood="six")
    phone.post("/check-ins", body)
    phone.post("/check-ins", {**body, "not_safe": True})
    assert set(Alert.objects.values_list("condition", flat=True)) == {"craving", "safety"}
    assert AlertEvidence.objects.get().alert.condition == "safety"


def test_a_conflict_still_raises_the_alert(phone: Phone):
    body = check_in_body(mood=6)
    phone.post("/check-ins", body)
    answer = phone.post("/check-ins", {**body, "not_safe": True})
    assert answer.status_code == 409
    assert Alert.objects.get().condition == "safety"
    assert CheckIn.objects.get().not_safe is False


def test_a_conflict_that_says_nothing_new_raises_nothing_new(phone: Phone):
    body = check_in_body(not_safe=True)
    phone.post("/check-ins", body)
    phone.post("/check-ins", {**body, "note": "changed"})
    assert (Alert.objects.get().round, AcuteReport.objects.count()) == (1, 0)


def test_past_the_rate_limit_not_safe_is_still_heard(phone: Phone, monkeypatch: pytest.MonkeyPatch):
    narrow = Limit("check_ins", 1, timedelta(minutes=10))
    monkeypatch.setattr(CheckInsView, "counted", {"POST": narrow})
    phone.post("/check-ins", check_in_body(mood=6))
    answer = phone.post("/check-ins", check_in_body(not_safe=True))
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert answer.json()["keep"] is True
    assert Alert.objects.get().severity == "critical"


def test_without_a_token_the_lines_are_there_and_nothing_is_stored(db: None):
    answer = Phone().post("/check-ins?country=US", check_in_body(not_safe=True))
    assert answer.status_code == 401
    assert "988" in {line["call"] for line in answer.json()["crisis_resources"]}
    assert answer.json()["keep"] is True
    assert not Alert.objects.exists()


def test_a_problem_never_repeats_what_was_sent(phone: Phone):
    answer = phone.post("/check-ins", check_in_body(mood="my secret words", note="kept quiet"))
    assert b"secret" not in answer.content
    assert b"quiet" not in answer.content
