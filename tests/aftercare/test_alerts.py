"""One condition is one open alert; acknowledging covers only what came before it."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from backend import errors
from backend.accounts.models import AuditEvent
from backend.aftercare.models import Alert, AlertAct, AlertStatus
from backend.aftercare.services import acknowledge_alert, act_on_alert, resolve_alert
from backend.notifications.models import Notification
from tests.aftercare.reporting import NOON, report
from tests.people import People, actor_for, make_device


@pytest.fixture
def alert(people: People) -> Alert:
    make_device(people.therapist.user)
    received = report(people, craving=9)
    assert received.alert is not None
    return received.alert


def acknowledge(people: People, alert: Alert, *, by=None, act_id=None, after=timedelta(minutes=5)):
    return acknowledge_alert(
        actor=actor_for(by or people.therapist.user),
        patient_id=people.patient.pk,
        alert_id=alert.pk,
        act_id=act_id or uuid4(),
        now=NOON + after,
    )


def resolve(people: People, alert: Alert, *, act_id=None, outcome="reached"):
    return resolve_alert(
        actor=actor_for(people.therapist.user),
        patient_id=people.patient.pk,
        alert_id=alert.pk,
        act_id=act_id or uuid4(),
        outcome=outcome,
        note="",
        now=NOON + timedelta(minutes=9),
    )


def test_a_second_acute_check_in_renews_the_open_alert(people: People, alert: Alert):
    later = NOON + timedelta(hours=1)
    report(people, now=later, craving=8)
    alert.refresh_from_db()
    assert (Alert.objects.count(), alert.round, alert.evidence_at) == (1, 2, later)
    assert alert.due_at == later + timedelta(hours=4)
    assert Notification.objects.filter(kind="alert").count() == 2


def test_acknowledging_cancels_what_is_queued_and_stops_the_ladder(people: People, alert: Alert):
    acknowledge(people, alert)
    alert.refresh_from_db()
    assert (alert.status, alert.level_due_at) == (AlertStatus.ACKNOWLEDGED, None)
    assert Notification.objects.get(kind="alert").outcome == "cancelled"
    assert Notification.objects.get(kind="support").outcome == ""


def test_an_acknowledgment_covers_only_what_came_before_it(people: People, alert: Alert):
    acknowledge(people, alert)
    report(people, now=NOON + timedelta(hours=1), craving=9)
    alert.refresh_from_db()
    assert (alert.status, alert.acknowledged_at, alert.round) == (AlertStatus.OPEN, None, 2)
    assert Notification.objects.filter(kind="alert", outcome="").count() == 1


def test_a_resolved_alert_stays_closed_and_the_next_one_is_new(people: People, alert: Alert):
    resolve(people, alert)
    report(people, now=NOON + timedelta(hours=1), craving=9)
    alert.refresh_from_db()
    assert (alert.status, alert.outcome) == (AlertStatus.RESOLVED, "reached")
    assert Alert.objects.exclude(pk=alert.pk).get().status == AlertStatus.OPEN


def test_a_critical_alert_comes_back_until_an_outcome_is_recorded(people: People):
    make_device(people.therapist.user)
    alert = report(people, not_safe=True).alert
    assert alert is not None
    assert acknowledge(people, alert).level_due_at == NOON + timedelta(minutes=65)
    assert resolve(people, alert).level_due_at is None


def test_the_same_act_twice_is_one_act(people: People, alert: Alert):
    act_id = uuid4()
    for _ in range(2):
        resolve(people, alert, act_id=act_id)
    assert AlertAct.objects.filter(kind="resolved").count() == 1
    assert AuditEvent.objects.filter(action="alert.resolved").count() == 1


def test_an_acts_id_cannot_be_used_for_something_else(people: People, alert: Alert):
    act_id = uuid4()
    acknowledge(people, alert, act_id=act_id)
    with pytest.raises(errors.Conflict):
        resolve(people, alert, act_id=act_id)


def test_a_resolved_alert_takes_no_further_act(people: People, alert: Alert):
    resolve(people, alert)
    with pytest.raises(errors.Conflict) as caught:
        acknowledge(people, alert)
    assert caught.value.code == "alert_resolved"


def test_the_historical_outcome_is_not_for_people(people: People, alert: Alert):
    with pytest.raises(errors.Invalid):
        resolve(people, alert, outcome="historical")


@pytest.mark.parametrize("name", ["stranger", "elsewhere_therapist"])
def test_a_therapist_who_is_not_theirs_finds_no_alert(name: str, people: People, alert: Alert):
    with pytest.raises(errors.NotFound):
        acknowledge(people, alert, by=getattr(people, name).user)
    alert.refresh_from_db()
    assert alert.status == AlertStatus.OPEN
    assert AuditEvent.objects.using("audit").filter(was_allowed=False).exists()


def test_acting_is_also_having_seen_it_and_keeps_the_note(people: People, alert: Alert):
    act_on_alert(
        actor=actor_for(people.therapist.user),
        patient_id=people.patient.pk,
        alert_id=alert.pk,
        act_id=uuid4(),
        note="Called, will come in tomorrow.",
        now=NOON,
    )
    alert.refresh_from_db()
    assert alert.status == AlertStatus.ACKNOWLEDGED
    assert alert.acts.get(kind="acted").note.startswith("Called")


def test_severity_is_raised_by_worse_evidence_and_never_lowered(people: People):
    report(people, now=NOON - timedelta(days=3), use_reported=True)
    report(people, now=NOON, use_reported=True)
    alert = Alert.objects.get(condition="use")
    assert alert.severity == "high"
    assert [reason["severity"] for reason in alert.reasons] == ["high", "medium"]


def test_the_ladder_is_a_snapshot_of_team_then_on_call_then_supervisor(
    people: People, alert: Alert
):
    assert alert.ladder == [
        [str(people.therapist.user_id)],
        [str(people.on_call.user_id)],
        [str(people.supervisor.user_id)],
    ]


def test_a_level_without_a_phone_is_passed_over_at_once(people: People):
    make_device(people.on_call.user)
    alert = report(people, craving=9).alert
    assert alert is not None
    assert alert.level == 1
    told = set(Notification.objects.filter(kind="alert").values_list("recipient_id", flat=True))
    assert told == {people.therapist.user_id, people.on_call.user_id}


def test_a_medium_alert_obeys_quiet_hours_and_is_not_passed_on(people: People):
    make_device(people.therapist.user)
    alert = report(people, confidence=2).alert
    assert alert is not None
    assert (alert.severity, alert.level_due_at) == ("medium", None)
    assert Notification.objects.get(kind="alert").obeys_quiet_hours is True


def test_a_medium_check_in_nudges_once_within_the_budget(people: People):
    make_device(people.patient_user)
    for hours in (0, 1, 2):
        report(people, now=NOON + timedelta(hours=hours), confidence=2)
    assert Notification.objects.filter(kind="nudge").count() == 1
