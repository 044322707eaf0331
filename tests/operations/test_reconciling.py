"""The reconciler finds each kind of break, tells of it once, and is silent about what is sound."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import structlog
from django.utils import timezone

from backend.aftercare.models import AcuteReport, Alert
from backend.notifications.models import Notification, Priority
from backend.operations.invariants import INVARIANTS
from backend.operations.models import Finding
from backend.operations.services import reconcile
from backend.tracking.models import AssessmentRequest, CheckIn
from tests.aftercare.reporting import report
from tests.notifications.outbox import ACUTE, draft, queue
from tests.people import People, make_device

NOW = timezone.now()
AGO = timedelta(minutes=3)


@dataclass
class Switch:
    """Counts what the dead-man's switch heard."""

    heard: int = 0

    def __call__(self) -> None:
        self.heard += 1


def counts() -> dict[str, int]:
    return dict(Finding.objects.values_list("invariant", "count"))


def lose_the_alert(people: People) -> None:
    CheckIn.objects.create(
        id=uuid4(),
        patient=people.patient,
        kind="daily",
        local_date=(NOW - AGO).date(),
        recorded_at=NOW - AGO,
        received_at=NOW - AGO,
        utc_offset_minutes=0,
        content_digest=b"\0" * 32,
        not_safe=True,
    )


def lose_the_alert_of_a_report(people: People) -> None:
    AcuteReport.objects.create(
        patient=people.patient, client_id=uuid4(), received_at=NOW - AGO, facts={}, error_code="x"
    )


def lose_the_message(people: People) -> None:
    report(people, now=NOW - AGO, not_safe=True)
    Notification.objects.all().delete()


def leave_a_message(people: People) -> None:
    make_device(people.therapist.user)
    queue(draft(people.patient, people.therapist.user, now=NOW - AGO, **ACUTE), now=NOW - AGO)


def leave_a_lease(people: People) -> None:
    (row,) = queue(draft(people.patient, people.patient_user, now=NOW), now=NOW)
    Notification.objects.filter(pk=row.pk).update(lease_token=uuid4(), lease_expires_at=NOW - AGO)


def leave_an_evaluation(people: People) -> None:
    AssessmentRequest.objects.create(
        patient=people.patient,
        requested_at=NOW - timedelta(minutes=11),
        assess_from=NOW.date(),
    )


BREAKS: Mapping[str, Callable[[People], None]] = {
    "acute_check_in_without_alert": lose_the_alert,
    "acute_report_without_alert": lose_the_alert_of_a_report,
    "alert_without_message": lose_the_message,
    "urgent_pending": leave_a_message,
    "lease_long_expired": leave_a_lease,
    "evaluation_late": leave_an_evaluation,
}


@pytest.mark.parametrize("invariant", list(INVARIANTS))
def test_each_break_is_found_and_no_other(people: People, invariant: str) -> None:
    BREAKS[invariant](people)
    switch = Switch()
    round_ = reconcile(now=NOW, ping=switch)
    assert counts() == {name: int(name == invariant) for name in INVARIANTS}
    assert (round_.looked, round_.found) == (True, 1)
    assert switch.heard == 0


def test_a_sound_house_is_clean_and_the_switch_hears_of_it(people: People) -> None:
    make_device(people.patient_user)
    for items in ({"not_safe": True}, {"craving": 9}, {"use_reported": True}, {"mood": 7}):
        report(people, now=NOW - AGO, **items)
    Notification.objects.update(settled_at=NOW, outcome="accepted")
    AssessmentRequest.objects.all().delete()
    switch = Switch()
    assert reconcile(now=NOW, ping=switch).found == 0
    assert switch.heard == 1
    assert Alert.objects.exists()
    assert CheckIn.objects.count() == 4


def test_a_message_that_nobody_can_be_reached_with_breaks_nothing(people: People) -> None:
    """It waits for a phone; the clinician has none."""
    queue(draft(people.patient, people.therapist.user, now=NOW - AGO, **ACUTE), now=NOW - AGO)
    assert reconcile(now=NOW, ping=Switch()).found == 0


def test_what_may_wait_is_not_urgent(people: People) -> None:
    make_device(people.patient_user)
    kept = [
        draft(people.patient, people.patient_user, now=NOW - AGO),
        draft(
            people.patient,
            people.patient_user,
            now=NOW - AGO,
            priority=Priority.ACUTE,
            obeys_quiet_hours=True,
        ),
    ]
    queue(*kept, now=NOW - AGO)
    assert reconcile(now=NOW, ping=Switch()).found == 0


def test_the_operator_is_told_once_until_it_is_mended(people: People) -> None:
    BREAKS["evaluation_late"](people)

    def lines(minutes: int) -> list[Any]:
        with structlog.testing.capture_logs() as logged:
            assert reconcile(now=NOW + timedelta(minutes=minutes), ping=Switch()).looked
        return [line for line in logged if line["event"] == "invariants_broken"]

    (told,) = lines(0)
    assert (told["code"], told["count"], told["log_level"]) == ("evaluation_late", 1, "error")
    BREAKS["lease_long_expired"](people)
    assert lines(1) == lines(2) == []
    AssessmentRequest.objects.all().delete()
    Notification.objects.update(settled_at=NOW, outcome="accepted")
    assert lines(3) == []
    BREAKS["evaluation_late"](people)
    assert len(lines(4)) == 1


def test_since_is_when_it_began(people: People) -> None:
    BREAKS["evaluation_late"](people)
    for minutes in (0, 1, 2):
        reconcile(now=NOW + timedelta(minutes=minutes), ping=Switch())
    finding = Finding.objects.get(invariant="evaluation_late")
    assert (finding.since, finding.told_at) == (NOW, NOW)
    assert finding.checked_at == NOW + timedelta(minutes=2)


def test_two_copies_look_once_a_minute(people: People) -> None:
    switch = Switch()
    assert reconcile(now=NOW, ping=switch).looked
    assert not reconcile(now=NOW + timedelta(seconds=20), ping=switch).looked
    assert reconcile(now=NOW + timedelta(seconds=56), ping=switch).looked
    assert switch.heard == 2
