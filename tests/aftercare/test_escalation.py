"""What nobody answers goes on: each level once a round, never after somebody has seen it."""

from __future__ import annotations

import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection

from backend.aftercare.models import Alert, AlertAct
from backend.aftercare.services import acknowledge_alert, escalate_due
from backend.notifications.models import Notification
from tests.acting import carried
from tests.aftercare.reporting import NOON, report
from tests.people import People, actor_for, make_device

HIGH_WAIT = timedelta(hours=2)


@pytest.fixture
def alert(people: People) -> Alert:
    for clinician in (people.therapist, people.on_call, people.supervisor):
        make_device(clinician.user)
    received = report(people, craving=9)
    assert received.alert is not None
    return received.alert


def told() -> list[str]:
    rows = Notification.objects.filter(kind="alert").order_by("created_at")
    return [row.recipient.clinician.display_name for row in rows]


def acknowledge(people: People, alert: Alert, *, after: timedelta) -> None:
    acknowledge_alert(
        actor=actor_for(people.therapist.user),
        patient_id=people.patient.pk,
        alert_id=alert.pk,
        act_id=uuid4(),
        now=NOON + after,
    )


def test_nothing_is_passed_on_before_its_time(alert: Alert):
    assert escalate_due(now=NOON + HIGH_WAIT - timedelta(seconds=1)) == 0
    assert told() == ["Bob"]


def test_an_unanswered_alert_climbs_level_by_level(alert: Alert):
    for step in (1, 2):
        assert escalate_due(now=NOON + step * HIGH_WAIT) == 1
    assert told() == ["Bob", "Dana", "Sam"]
    assert AlertAct.objects.filter(kind="escalated").count() == 2


def test_sweeping_again_tells_nobody_twice(alert: Alert):
    for _ in range(3):
        escalate_due(now=NOON + HIGH_WAIT)
    assert told() == ["Bob", "Dana"]


def test_an_acknowledged_alert_goes_no_further(people: People, alert: Alert):
    acknowledge(people, alert, after=timedelta(minutes=1))
    assert escalate_due(now=NOON + timedelta(days=2)) == 0
    assert told() == ["Bob"]


def test_an_exhausted_ladder_tells_the_patient_that_nobody_was_reached(
    people: People, alert: Alert
):
    for step in (1, 2, 3, 4, 5):
        escalate_due(now=NOON + step * HIGH_WAIT)
    messages = Notification.objects.filter(text_id="message.nobody_reached")
    assert [row.recipient for row in messages] == [people.patient_user]
    assert told() == ["Bob", "Dana", "Sam", "Sam"]


def test_a_critical_alert_starts_over_when_nobody_answered(people: People, alert: Alert):
    received = report(people, not_safe=True)
    assert received.alert is not None
    for minutes in (10, 20, 30):
        escalate_due(now=NOON + timedelta(minutes=minutes))
    escalate_due(now=NOON + timedelta(minutes=60))
    received.alert.refresh_from_db()
    assert (received.alert.round, received.alert.level) == (2, 0)


def test_an_acknowledged_critical_alert_without_outcome_starts_over(people: People, alert: Alert):
    received = report(people, not_safe=True)
    assert received.alert is not None
    acknowledge(people, received.alert, after=timedelta(minutes=5))
    assert escalate_due(now=NOON + timedelta(minutes=64)) == 0
    assert escalate_due(now=NOON + timedelta(minutes=65)) == 1
    received.alert.refresh_from_db()
    assert (received.alert.status, received.alert.round) == ("open", 2)


def test_eight_sweepers_at_once_take_one_step(committed_db: None, people: People):
    for clinician in (people.therapist, people.on_call, people.supervisor):
        make_device(clinician.user)
    report(people, craving=9)
    barrier = threading.Barrier(8)

    def sweep() -> None:
        barrier.wait()
        escalate_due(now=NOON + HIGH_WAIT)
        connection.close()

    threads = [threading.Thread(target=carried(sweep)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told() == ["Bob", "Dana"]
    assert AlertAct.objects.filter(kind="escalated").count() == 1
