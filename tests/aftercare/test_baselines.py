"""A new normal, set by a clinician: what came before counts no more towards the usual."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from backend.accounts.models import AuditEvent
from backend.aftercare.models import Alert
from backend.aftercare.services import assess_due
from backend.tracking.models import Assessment, BaselineStart
from tests.aftercare.reporting import report
from tests.aftercare.test_worsening import steady
from tests.people import People
from tests.phones import Phone


def live(people: People, days: list[dict[str, Any]]) -> datetime:
    """The last of these days is today."""
    now = datetime.now(UTC)
    for ago, items in zip(range(len(days) - 1, -1, -1), days, strict=True):
        report(people, now=now - timedelta(days=ago), **items)
    assess_due(now=now)
    return now


def lower(days: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**day, "mood": day["mood"] - 3, "craving": day["craving"] + 3} for day in days]


def body(now: datetime, *, ago: int, reason: str = "New medication.") -> dict[str, Any]:
    from_on = (now - timedelta(days=ago)).date().isoformat()
    return {"id": str(uuid4()), "from_on": from_on, "reason": reason}


def test_the_new_normal_is_what_later_days_are_held_against(people: People) -> None:
    days = [*steady(40), *lower(steady(12, seed=3))]
    now = live(people, days)
    assert Assessment.objects.latest("assessed_at").trend == "worsening"
    phone = Phone.of(people.therapist.user)
    sent = body(now, ago=11)
    answer = phone.post(f"/patients/{people.patient.pk}/baselines", sent)
    assert (answer.status_code, answer.json()["set_by"]) == (201, "Bob")
    assess_due(now=now + timedelta(seconds=1))
    after = Assessment.objects.latest("assessed_at")
    assert (after.trend, Assessment.objects.count()) == ("unknown", 2)
    assert all(signal["baseline"]["count"] < 10 for signal in after.facts["signals"])
    assert AuditEvent.objects.filter(action="baseline.set").count() == 1


def test_after_days_enough_there_is_a_trend_again(people: People) -> None:
    now = live(people, [*steady(40), *lower(steady(30, seed=3))])
    Phone.of(people.therapist.user).post(
        f"/patients/{people.patient.pk}/baselines", body(now, ago=29)
    )
    assess_due(now=now + timedelta(seconds=1))
    after = Assessment.objects.latest("assessed_at")
    assert after.trend == "steady"
    mood = next(signal for signal in after.facts["signals"] if signal["signal"] == "mood")
    assert mood["baseline"]["mean"] < 5


def test_acute_rules_hold_all_the_while(people: People) -> None:
    now = live(people, steady(20))
    Phone.of(people.therapist.user).post(
        f"/patients/{people.patient.pk}/baselines", body(now, ago=0)
    )
    report(people, now=now + timedelta(minutes=1), mood=5, craving=9)
    assert Alert.objects.get().condition == "craving"


def test_the_same_twice_is_once_and_another_thing_is_a_conflict(people: People) -> None:
    now = live(people, steady(3))
    phone, sent = Phone.of(people.therapist.user), body(now, ago=1)
    path = f"/patients/{people.patient.pk}/baselines"
    assert [phone.post(path, sent).status_code for _ in range(2)] == [201, 200]
    changed = phone.post(path, {**sent, "reason": "Something else."})
    assert (changed.status_code, changed.json()["code"]) == (409, "id_in_use")
    assert BaselineStart.objects.count() == 1


def test_the_one_set_last_holds_and_all_are_kept(people: People) -> None:
    now = live(people, steady(40))
    phone = Phone.of(people.therapist.user)
    path = f"/patients/{people.patient.pk}/baselines"
    for ago in (5, 30):
        assert phone.post(path, body(now, ago=ago)).status_code == 201
    assess_due(now=now + timedelta(seconds=1))
    assert Assessment.objects.latest("assessed_at").trend == "steady"
    listed = phone.get(path).json()["results"]
    assert [row["from_on"] for row in listed] == [
        (now - timedelta(days=ago)).date().isoformat() for ago in (30, 5)
    ]


@pytest.mark.parametrize(
    ("change", "code"),
    [({"from_on": "2999-01-01"}, "in_the_future"), ({"reason": ""}, "invalid_value")],
)
def test_what_makes_no_sense_is_refused(people: People, change: dict[str, str], code: str) -> None:
    sent = {**body(datetime.now(UTC), ago=1), **change}
    answer = Phone.of(people.therapist.user).post(f"/patients/{people.patient.pk}/baselines", sent)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, code)
    assert not BaselineStart.objects.exists()


def test_nobody_but_the_care_team_sets_it(people: People) -> None:
    path, sent = f"/patients/{people.patient.pk}/baselines", body(datetime.now(UTC), ago=1)
    assert Phone.of(people.stranger.user).post(path, sent).status_code == 404
    assert Phone.of(people.patient_user).post(path, sent).status_code == 403
    assert not BaselineStart.objects.exists()
