"""Seeding: the past told to nobody, the present of a few told to their therapist, once."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test.utils import override_settings

from backend.accounts.demo import NAME
from backend.accounts.models import CareTeamMember, Clinician, Patient
from backend.aftercare.caseload import caseload
from backend.aftercare.models import Alert, AlertStatus
from backend.intake.demo import seed_cohort
from backend.notifications.models import Notification, NotificationKind
from backend.tracking.models import AssessmentRequest, CheckIn, Source

NOW = datetime(2026, 3, 18, 19, 30, tzinfo=UTC)
PEOPLE, DAYS = 20, 60


@pytest.fixture
def seeded(db: None, tmp_path: Path) -> int:
    call_command("seed_demo", "--state", str(tmp_path / "demo.json"))
    return seed_cohort(now=NOW, people=PEOPLE, days=DAYS)


def test_everyone_is_on_the_demo_therapists_caseload(seeded: int) -> None:
    assert seeded == PEOPLE
    therapist = Clinician.objects.get(organisation__name=NAME)
    assert CareTeamMember.objects.filter(clinician=therapist).count() == PEOPLE
    assert Patient.objects.filter(organisation__name=NAME).count() == PEOPLE
    assert Patient.objects.filter(user__isnull=False).count() == 1
    assert CheckIn.objects.values("patient").distinct().count() == PEOPLE


def test_again_changes_nothing(seeded: int) -> None:
    before = CheckIn.objects.count(), Alert.objects.count(), Notification.objects.count()
    assert seed_cohort(now=NOW, people=PEOPLE, days=DAYS) == 0
    assert (CheckIn.objects.count(), Alert.objects.count(), Notification.objects.count()) == before


def test_the_past_is_closed_and_was_told_to_nobody(seeded: int) -> None:
    past = Alert.objects.filter(is_historical=True)
    assert past.exists()
    assert set(past.values_list("status", flat=True)) == {AlertStatus.RESOLVED}
    told = set(Notification.objects.values_list("subject", flat=True))
    assert not told & {f"alert:{alert.pk}" for alert in past}


def test_only_the_live_stories_are_open_and_each_tells_the_therapist_once(seeded: int) -> None:
    live = CheckIn.objects.filter(source=Source.APP)
    open_alerts = Alert.objects.exclude(status=AlertStatus.RESOLVED)
    assert {alert.patient_id for alert in open_alerts} <= {row.patient_id for row in live}
    assert open_alerts.exists()
    messages = Notification.objects.all()
    assert {message.kind for message in messages} == {NotificationKind.ALERT}
    assert len(messages) == len(open_alerts) <= 10
    assert len({message.recipient_id for message in messages}) == 1


def test_nothing_waits_to_be_evaluated_and_nothing_came_late(seeded: int) -> None:
    assert not AssessmentRequest.objects.exists()
    live = CheckIn.objects.filter(source=Source.APP)
    assert not live.filter(is_late=True).exists()
    assert not live.filter(recorded_at__gt=NOW).exists()


def test_the_caseload_begins_with_the_one_in_trouble(seeded: int) -> None:
    lines = caseload(Patient.objects.filter(organisation__name=NAME), language="en", now=NOW)
    first = lines[0]
    assert first.worst_severity == "high"
    assert first.due_at == min(line.due_at for line in lines if line.due_at)
    assert "1" in first.reason
    assert [line.open_alerts > 0 for line in lines] == sorted(
        (line.open_alerts > 0 for line in lines), reverse=True
    )


def test_just_after_midnight_nobody_checked_in_before_the_day_began(
    db: None, tmp_path: Path
) -> None:
    call_command("seed_demo", "--state", str(tmp_path / "demo.json"))
    midnight = datetime(2026, 3, 18, 4, 10, tzinfo=UTC)
    seed_cohort(now=midnight, people=PEOPLE, days=DAYS)
    for row in CheckIn.objects.filter(source=Source.APP):
        assert datetime(2026, 3, 18, 4, 0, tzinfo=UTC) <= row.recorded_at <= midnight


def test_without_the_demo_it_says_what_comes_first(db: None) -> None:
    with pytest.raises(CommandError, match="demo organisation"):
        call_command("seed_cohort")
    assert not CheckIn.objects.exists()


def test_it_refuses_production(seeded: int) -> None:
    with override_settings(IS_PRODUCTION=True), pytest.raises(CommandError, match="production"):
        call_command("seed_cohort")


def test_the_state_file_is_untouched_by_it(seeded: int, tmp_path: Path) -> None:
    assert set(json.loads((tmp_path / "demo.json").read_text())) == {
        "patient",
        "therapist",
        "therapist-totp",
        "admin",
        "admin-totp",
    }
