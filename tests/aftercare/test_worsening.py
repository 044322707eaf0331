"""A declining fortnight without any acute value: one alert with its reason, not one a day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np

from backend.aftercare.explanations import explain_reasons
from backend.aftercare.models import Alert, Nudge
from backend.aftercare.selectors import open_alerts
from backend.aftercare.services import assess_due
from backend.notifications.models import Notification
from backend.tracking.models import Assessment, AssessmentRequest
from tests.aftercare.reporting import report
from tests.people import People, make_device

START = date(2025, 12, 1)


def steady(days: int, seed: int = 7) -> list[dict[str, Any]]:
    random = np.random.default_rng(seed)
    return [
        {
            "mood": int(np.clip(round(random.normal(7, 0.7)), 5, 9)),
            "craving": int(np.clip(round(random.normal(2, 0.7)), 1, 4)),
            "sleep_hours": float(np.clip(round(random.normal(7.5, 0.5) * 4) / 4, 6, 9)),
        }
        for _ in range(days)
    ]


def declining(days: int) -> list[dict[str, Any]]:
    return [
        {
            "mood": max(3, 7 - round(day * 0.3)),
            "craving": min(7, 2 + round(day * 0.4)),
            "sleep_hours": max(5.0, 7.5 - day * 0.25),
        }
        for day in range(days)
    ]


def live(people: People, days: list[dict[str, Any]]) -> datetime:
    """Each day's check-in is received and evaluated on its own evening."""
    for index, items in enumerate(days):
        now = datetime.combine(START + timedelta(days=index), time(22), tzinfo=UTC)
        report(people, now=now, **items)
        assess_due(now=now + timedelta(seconds=1))
    return now


def test_a_declining_fortnight_opens_one_alert_with_its_reason(people: People):
    make_device(people.therapist.user)
    live(people, steady(45) + declining(14))
    alert = Alert.objects.get()
    assert (alert.condition, alert.severity) == ("worsening", "medium")
    (sentence,) = explain_reasons(alert.reasons, language="en", today=alert.last_on)
    assert sentence.startswith("Worse than usual since")
    assert "craving above the usual" in sentence
    assert Notification.objects.filter(kind="alert").count() == 1


def test_it_is_updated_while_it_lasts(people: People):
    end = live(people, steady(45) + declining(14))
    alert = Alert.objects.get()
    assert alert.last_on == end.date()
    assert alert.first_on < alert.last_on


def test_the_patient_gets_one_nudge_for_it_and_not_one_a_day(people: People):
    make_device(people.patient_user)
    live(people, steady(45) + declining(14))
    assert Nudge.objects.filter(was_sent=True).count() <= 2
    assert Notification.objects.filter(kind="nudge").exists()


def test_a_steady_two_months_open_nothing(people: People):
    live(people, steady(60))
    assert not Alert.objects.exists()
    assert Assessment.objects.order_by("-as_of_on")[0].trend == "steady"


def test_thin_data_are_unknown_and_open_nothing(people: People):
    live(people, declining(9))
    assert set(Assessment.objects.values_list("trend", flat=True)) == {"unknown"}
    assert not Alert.objects.exists()


def test_after_it_was_resolved_it_does_not_come_back_the_next_day(people: People):
    end = live(people, steady(45) + declining(14))
    alert = Alert.objects.get()
    alert.status, alert.outcome, alert.resolved_at = "resolved", "reached", end
    alert.save()
    report(people, now=end + timedelta(days=1), mood=4, craving=7)
    assess_due(now=end + timedelta(days=1, seconds=1))
    assert not open_alerts([people.patient.pk]).exists()


def test_requests_are_cleared_and_a_failing_one_is_kept(people: People, monkeypatch):
    report(people, mood=6)
    monkeypatch.setattr(
        "backend.aftercare.services.assessments.store_assessment",
        lambda **_values: (_ for _ in ()).throw(RuntimeError("the disk is full")),
    )
    now = datetime(2026, 3, 4, 17, 1, tzinfo=UTC)
    assess_due(now=now)
    assert AssessmentRequest.objects.count() == 1
    monkeypatch.undo()
    assess_due(now=now + timedelta(minutes=5))
    assert AssessmentRequest.objects.count() == 0


def test_the_same_input_makes_no_second_assessment(people: People):
    received = report(people, mood=6)
    now = received.check_in.received_at
    assess_due(now=now)
    AssessmentRequest.objects.create(
        patient=people.patient, requested_at=now, assess_from=now.date()
    )
    assess_due(now=now + timedelta(minutes=1))
    assert Assessment.objects.count() == 1
