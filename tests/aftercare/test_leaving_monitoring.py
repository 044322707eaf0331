"""Leaving monitoring: what ends, what stays, and that nobody is said to watch when nobody does."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from backend.accounts.models import AuditEvent
from backend.aftercare.models import Alert, Nudge
from backend.aftercare.services import (
    assess_due,
    leave_monitoring,
    resume_monitoring,
)
from backend.aftercare.services.nudges import nudge
from backend.aftercare.services.sweeping import sweep_range
from backend.notifications.models import Notification
from backend.notifications.services import beat
from backend.tracking.models import Assessment, CheckIn
from tests.aftercare.reporting import NOON, report, report_days
from tests.notifications.outbox import draft, queue
from tests.people import People, actor_for, make_device
from tests.phones import Phone, check_in_body

LEFT = "left monitoring"


def leave(people: People, *, now: datetime = NOON) -> None:
    leave_monitoring(actor=actor_for(people.patient_user), now=now)
    people.patient.refresh_from_db()


def resume(people: People, *, now: datetime = NOON) -> None:
    resume_monitoring(actor=actor_for(people.patient_user), now=now)
    people.patient.refresh_from_db()


# What is said -----------------------------------------------------------------------------------


def test_the_answer_says_what_ends_and_what_stays_crisis_lines_first(phone: Phone) -> None:
    answer = phone.post("/me/leave-monitoring").json()
    assert next(iter(answer)) == "crisis_resources"
    assert {line["call"] for line in answer["crisis_resources"]} >= {"911", "988"}
    assert answer["is_monitored"] is False
    assert answer["left_at"]
    assert "nobody watches" in answer["promise"]
    assert len(answer["ends"]) == 3
    assert any("Alerts that are open now stay open" in words for words in answer["stays"])
    assert any("message still goes to your care team" in words for words in answer["stays"])


def test_in_spanish(people: People) -> None:
    people.patient_user.language = "es"
    people.patient_user.save()
    answer = Phone.of(people.patient_user).post("/me/leave-monitoring").json()
    assert "nadie está pendiente" in answer["promise"]
    assert all("programa" in words for words in answer["stays"][-1:])


def test_twice_is_once_and_so_is_coming_back(phone: Phone, people: People) -> None:
    first, again = (phone.post("/me/leave-monitoring").json() for _ in range(2))
    assert first == again
    back, again = (phone.post("/me/resume-monitoring").json() for _ in range(2))
    assert back == again
    assert (back["is_monitored"], back["left_at"], back["ends"]) == (True, None, [])
    acts = AuditEvent.objects.filter(action__startswith="monitoring.").order_by("pk")
    assert [event.action for event in acts] == ["monitoring.leave", "monitoring.resume"]
    assert {event.patient_id for event in acts} == {people.patient.pk}
    assert Alert.objects.filter(condition="left_monitoring").count() == 1


def test_it_is_the_patients_own_act(people: People) -> None:
    for user in (people.therapist.user, people.administrator.user):
        assert Phone.of(user).post("/me/leave-monitoring").status_code == 403
        assert Phone.of(user).post("/me/resume-monitoring").status_code == 403
    people.patient.refresh_from_db()
    assert people.patient.is_monitored


def test_every_later_answer_says_that_nobody_watches(phone: Phone, people: People) -> None:
    make_device(people.therapist.user)
    before = phone.post("/check-ins", check_in_body(mood=6)).json()["monitoring"]
    phone.post("/me/leave-monitoring")
    after = phone.post("/check-ins", check_in_body(mood=6)).json()["monitoring"]
    assert LEFT not in before["statement"]
    assert LEFT in after["statement"]
    assert "Nobody has been told" in after["statement"]
    assert (after["told"], after["expected_by"]) == (False, None)
    phone.post("/me/resume-monitoring")
    back = phone.post("/check-ins", check_in_body(mood=6)).json()["monitoring"]
    assert LEFT not in back["statement"]


def test_an_acute_answer_has_help_and_promises_nothing(phone: Phone, people: People) -> None:
    make_device(people.therapist.user)
    phone.post("/me/leave-monitoring")
    beat(process="relay", now=timezone.now())
    answer = phone.post("/check-ins", check_in_body(not_safe=True)).json()
    assert answer["support"]["is_acute"] is True
    assert answer["support"]["crisis_resources"]
    said = answer["monitoring"]
    assert LEFT in said["statement"]
    assert "on its way to Bob" in said["statement"]
    assert "nobody may see it" in said["statement"]
    assert (said["told"], said["expected_by"]) == (True, None)


def test_where_nobody_can_be_reached_it_says_that_nobody_was_told(phone: Phone) -> None:
    phone.post("/me/leave-monitoring")
    said = phone.post("/check-ins", check_in_body(not_safe=True)).json()["monitoring"]
    assert "Nobody has been told" in said["statement"]
    assert said["told"] is False


# What stays -------------------------------------------------------------------------------------


def test_check_ins_are_stored_and_acute_ones_still_raise_their_alert(
    phone: Phone, people: People
) -> None:
    """Care inside the programme hangs on no consent, and an acute check-in is care."""
    make_device(people.therapist.user)
    phone.post("/me/leave-monitoring")
    assert phone.post("/check-ins", check_in_body(mood=6)).status_code == 201
    assert phone.post("/check-ins", check_in_body(not_safe=True)).status_code == 201
    assert CheckIn.objects.count() == 2
    alert = Alert.objects.get(condition="safety")
    assert (alert.severity, alert.status) == ("critical", "open")
    told = Notification.objects.filter(subject=f"alert:{alert.pk}")
    assert people.therapist.user in {row.recipient for row in told}


def test_open_alerts_stand(people: People) -> None:
    alert = report(people, craving=9).alert
    assert alert is not None
    before = (alert.status, alert.level_due_at, alert.due_at)
    pending = Notification.objects.filter(subject=f"alert:{alert.pk}", cancelled_at=None).count()
    leave(people)
    alert.refresh_from_db()
    assert (alert.status, alert.level_due_at, alert.due_at) == before
    still = Notification.objects.filter(subject=f"alert:{alert.pk}", cancelled_at=None).count()
    assert still == pending > 0


def test_the_care_team_still_reads(phone: Phone, people: People) -> None:
    phone.post("/me/leave-monitoring")
    phone.post("/check-ins", check_in_body(mood=6))
    answer = Phone.of(people.therapist.user).get(f"/patients/{people.patient.pk}/check-ins")
    assert len(answer.json()["results"]) == 1


# The clinician's task ---------------------------------------------------------------------------


def test_the_care_team_is_told_once_and_not_urgently(people: People) -> None:
    leave(people)
    alert = Alert.objects.get()
    assert (alert.condition, alert.severity, alert.status) == ("left_monitoring", "medium", "open")
    told = Notification.objects.get(recipient=people.therapist.user)
    assert told.obeys_quiet_hours is True
    assert told.kind == "alert"
    assert not Notification.objects.filter(recipient=people.patient_user).exists()
    shown = Phone.of(people.therapist.user).get(f"/patients/{people.patient.pk}/alerts").json()
    assert shown["results"][0]["reasons"] == ["Left monitoring."]


def test_coming_back_closes_it_and_takes_the_message_back(people: People) -> None:
    leave(people)
    resume(people)
    alert = Alert.objects.get()
    assert (alert.status, alert.outcome) == ("resolved", "recovered")
    assert not Notification.objects.filter(cancelled_at=None).exists()


def test_leaving_again_is_a_task_again(people: People) -> None:
    for day in range(2):
        leave(people, now=NOON + timedelta(days=day))
        resume(people, now=NOON + timedelta(days=day, hours=1))
    assert Alert.objects.filter(condition="left_monitoring").count() == 2


def test_who_has_left_the_programme_makes_no_task(people: People) -> None:
    people.patient.discharged_at = NOON
    people.patient.save()
    leave(people)
    assert not Alert.objects.exists()


# What ends --------------------------------------------------------------------------------------


def test_nothing_is_worked_out_any_more_and_again_after_coming_back(people: People) -> None:
    leave(people)
    report_days(people, [{"mood": 6}] * 3, last=NOON.date())
    tomorrow = NOON + timedelta(days=1)
    assert assess_due(now=tomorrow) == 1
    assert sweep_range(people.patient.pk, people.patient.pk, now=tomorrow) == 0
    assert not Assessment.objects.exists()
    assert assess_due(now=tomorrow) == 0
    resume(people, now=tomorrow)
    assert sweep_range(people.patient.pk, people.patient.pk, now=tomorrow) == 1
    assert Assessment.objects.exists()


def test_silence_is_not_noticed(people: People) -> None:
    last = date(2026, 3, 4)
    report_days(people, [{"mood": 6}] * 30, last=last)
    leave(people)
    later = datetime(2026, 3, 16, 17, tzinfo=UTC)
    sweep_range(people.patient.pk, people.patient.pk, now=later)
    assert not Alert.objects.filter(condition="absence").exists()
    resume(people, now=later)
    sweep_range(people.patient.pk, people.patient.pk, now=later)
    assert Alert.objects.filter(condition="absence").exists()


def test_no_nudge_is_decided(people: People) -> None:
    leave(people)
    row = nudge(patient=people.patient, kind="worsening", reasons=[], now=NOON)
    assert row is not None
    assert row.was_sent is False
    assert not Notification.objects.filter(kind="nudge").exists()


@pytest.mark.parametrize("kind", ["nudge", "prompt"])
def test_what_was_queued_is_taken_back(people: People, kind: str) -> None:
    other = people.other_patient.user
    assert other is not None
    theirs, others = queue(
        draft(people.patient, people.patient_user, kind=kind, now=NOON),
        draft(people.other_patient, other, kind=kind, now=NOON),
        now=NOON,
    )
    leave(people)
    for row in (theirs, others):
        row.refresh_from_db()
    assert (theirs.outcome, others.outcome) == ("cancelled", "")
    assert not Nudge.objects.exists()
