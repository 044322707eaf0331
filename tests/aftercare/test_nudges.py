"""A nudge shows the patient's own step, keeps to its budget, and hears how it was taken."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from backend.accounts import patient_keys
from backend.accounts.actor import Actor
from backend.accounts.models import AuditEvent
from backend.aftercare.models import Condition, CopingStep, Decision, Nudge
from backend.aftercare.services import store_item
from backend.aftercare.services.flags import raise_flag
from backend.aftercare.services.nudges import nudge
from backend.notifications.models import Notification
from tests.aftercare.reporting import NOON, report
from tests.people import People, actor_for, make_device
from tests.phones import Phone, check_in_body


@pytest.fixture
def reachable(people: People) -> None:
    make_device(people.patient_user)


def own_step(people: People, words: str, *cues: str, order: int = 0) -> CopingStep:
    stored = store_item(
        actor=actor_for(people.patient_user),
        kind=CopingStep,
        item_id=uuid4(),
        values={"words": words, "cues": list(cues), "order": order, "is_archived": False},
        now=NOON,
    )
    assert isinstance(stored.row, CopingStep)
    return stored.row


def say(people: People, kind: str = "confidence", *, at: datetime = NOON, **more: Any) -> Nudge:
    row = nudge(patient=people.patient, kind=kind, reasons=[], now=at, **more)
    assert row is not None
    return row


def message(people: People, row: Nudge) -> dict[str, Any]:
    phone = Phone.of(people.patient_user)
    sent = Notification.objects.get(subject=f"nudge:{row.pk}")
    found: dict[str, Any] = phone.get(f"/me/notifications/{sent.pk}").json()
    return found


def decision(**which: Any) -> Decision:
    return Decision.objects.get(**which)


# Which step --------------------------------------------------------------------------------------


def test_it_shows_the_own_step_for_the_reported_cue(people: People, reachable: None):
    own_step(people, "Breathe")
    wanted = own_step(people, "Leave the pub", "payday", order=5)
    report(people, confidence=2, cues=["payday"])
    row = Nudge.objects.get()
    assert row.step == wanted
    said = message(people, row)
    assert "Leave the pub" in said["body"]
    assert said["nudge_id"] == str(row.pk)
    made = decision(kind="nudge")
    assert (made.chosen, made.reason) == ("own_step", "serves_cue")
    assert made.known["nudge_id"] == str(row.pk)


def test_a_step_for_another_cue_is_not_offered(people: People, reachable: None):
    own_step(people, "Leave the pub", "payday")
    row = say(people, cues=["argument"])
    assert row.step is None
    assert "Leave the pub" not in message(people, row)["body"]
    assert decision().chosen == "general"


def test_without_a_cue_that_was_named_those_of_the_last_days_count(people: People, reachable: None):
    own_step(people, "Breathe")
    own_step(people, "Leave the pub", "payday", order=1)
    report(people, mood=6, cues=["payday"])
    assert "Leave the pub" in message(people, say(people, "worsening"))["body"]


def test_a_step_that_was_removed_meanwhile_is_not_shown(people: People, reachable: None):
    step = own_step(people, "Breathe")
    row = say(people)
    Phone.of(people.patient_user).request("DELETE", f"/me/coping-steps/{step.pk}")
    assert "Breathe" not in message(people, row)["body"]


def test_a_message_is_shown_without_a_step_that_cannot_be_opened(people: People, reachable: None):
    own_step(people, "Breathe")
    row = say(people)
    patient_id = people.patient.pk
    sealed = patient_keys.seal(patient_id, "aftercare_copingstep", "words", uuid4(), "elsewhere")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE aftercare_copingstep SET words = %s", [sealed])
        assert cursor.rowcount == 1
    shown = message(people, row)["body"]
    assert shown
    assert "Breathe" not in shown


def test_what_was_rated_decides_what_comes_first_next_time(people: People, reachable: None):
    own_step(people, "Breathe")
    own_step(people, "Call Maria", order=1)
    first = say(people)
    phone = Phone.of(people.patient_user)
    assert phone.post(f"/me/nudges/{first.pk}/rate", {"helped": False}).status_code == 200
    second = say(people, "worsening", at=NOON + timedelta(days=2))
    assert second.step is not None
    assert second.step.words == "Call Maria"


def test_the_answer_to_a_craving_names_the_step_in_its_message_too(people: People, reachable: None):
    own_step(people, "Leave the pub", "payday")
    report(people, craving=9, cues=["payday"])
    sent = Notification.objects.get(kind="support")
    phone = Phone.of(people.patient_user)
    assert "Leave the pub" in phone.get(f"/me/notifications/{sent.pk}").json()["body"]


def test_no_decision_and_no_message_row_holds_a_word_of_the_patient(
    people: People, reachable: None
):
    own_step(people, "canary-step", "canary-cue")
    report(people, confidence=2, cues=["canary-cue"], note="canary-note")
    for row in (*Decision.objects.values(), *Notification.objects.values()):
        assert "canary" not in str(row)


# Why nothing is said -----------------------------------------------------------------------------


def why_not(people: People, kind: str, *, at: datetime = NOON) -> str:
    row = say(people, kind, at=at)
    assert Notification.objects.filter(subject=f"nudge:{row.pk}").exists() is row.was_sent
    made = decision(kind="nudge", source=kind, at=at)
    assert (made.why_not, made.chosen == "") == (row.why_not, not row.was_sent)
    return row.why_not


def test_one_a_day_and_three_in_seven_days_whatever_the_source(people: People, reachable: None):
    days = [NOON + timedelta(days=day) for day in range(8)]
    assert why_not(people, "confidence", at=days[0]) == ""
    assert why_not(people, "short_sleep", at=days[0] + timedelta(hours=1)) == "budget"
    assert why_not(people, "short_sleep", at=days[1]) == ""
    assert why_not(people, "worsening", at=days[2]) == ""
    assert why_not(people, "other", at=days[3]) == "budget"
    assert why_not(people, "other", at=days[6]) == "budget"
    assert why_not(people, "other", at=days[7]) == ""


def test_the_same_kind_is_not_said_twice_in_a_week(people: People, reachable: None):
    assert why_not(people, "confidence") == ""
    assert why_not(people, "confidence", at=NOON + timedelta(days=6)) == "said_already"


def test_without_a_phone_nothing_is_spent(people: People):
    assert why_not(people, "confidence") == "no_device"
    make_device(people.patient_user)
    assert why_not(people, "worsening", at=NOON + timedelta(hours=1)) == ""


def test_a_phone_that_is_not_private_is_none(people: People):
    make_device(people.patient_user, is_private=False)
    assert why_not(people, "confidence") == "no_device"


def test_who_left_monitoring_is_not_nudged(people: People, reachable: None):
    people.patient.left_monitoring_at = NOON
    people.patient.save()
    assert why_not(people, "confidence") == "no_consent"


def test_two_put_aside_in_a_row_make_a_pause(people: People, reachable: None):
    for day, kind in enumerate(["confidence", "short_sleep"]):
        row = say(people, kind, at=NOON + timedelta(days=2 * day))
        row.dismissed_at = row.decided_at + timedelta(hours=1)
        row.save()
    assert why_not(people, "worsening", at=NOON + timedelta(days=8)) == "back_off"
    assert why_not(people, "other", at=NOON + timedelta(days=10)) == ""


def test_in_quiet_hours_it_waits_and_the_decision_says_so(people: People, reachable: None):
    night = datetime(2026, 3, 5, 3, 0, tzinfo=UTC)  # 22:00 in New York
    assert why_not(people, "confidence", at=night) == ""
    assert Notification.objects.get().obeys_quiet_hours is True
    assert decision().known["waits_for_morning"] is True


def test_quiet_hours_of_ones_own_hold_for_nudges(people: People, reachable: None):
    night = datetime(2026, 3, 5, 3, 0, tzinfo=UTC)  # 22:00 in New York
    people.patient.quiet_hours = [time(23), time(6)]
    people.patient.save()
    assert why_not(people, "confidence", at=night) == ""
    assert decision().known["waits_for_morning"] is False
    assert why_not(people, "short_sleep", at=night + timedelta(hours=2)) == ""
    assert decision(source="short_sleep").known["waits_for_morning"] is True


# What the patient does with it -------------------------------------------------------------------


def act(phone: Phone, row: Nudge, what: str, body: Any = None) -> Any:
    return phone.post(f"/me/nudges/{row.pk}/{what}", body)


@pytest.fixture
def fresh(people: People, reachable: None) -> Nudge:
    return say(people, at=timezone.now())


def test_putting_it_aside_twice_is_once_and_cancels_what_waits(phone: Phone, fresh: Nudge):
    first, again = act(phone, fresh, "dismiss"), act(phone, fresh, "dismiss")
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert first.json()["dismissed_at"] is not None
    assert Notification.objects.get().cancelled_at is not None
    assert AuditEvent.objects.filter(action="nudge.dismiss").count() == 1


def test_putting_it_off_takes_back_what_waits_and_remembers_when(phone: Phone, fresh: Nudge):
    until = (timezone.now() + timedelta(hours=2)).isoformat()
    for _ in range(2):
        answer = act(phone, fresh, "snooze", {"until": until})
        assert answer.status_code == 200
    fresh.refresh_from_db()
    assert fresh.snoozed_until == datetime.fromisoformat(until)
    assert Notification.objects.get().cancelled_at is not None
    assert AuditEvent.objects.filter(action="nudge.snooze").count() == 1


@pytest.mark.parametrize("hours", [-1, 25])
def test_it_comes_back_within_a_day_or_not_at_all(phone: Phone, fresh: Nudge, hours: int):
    until = (timezone.now() + timedelta(hours=hours)).isoformat()
    refused = act(phone, fresh, "snooze", {"until": until})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "not_within_a_day")
    fresh.refresh_from_db()
    assert fresh.snoozed_until is None
    assert Notification.objects.get().cancelled_at is None


def test_the_last_rating_counts_and_the_same_one_is_written_once(phone: Phone, fresh: Nudge):
    assert act(phone, fresh, "rate", {"rating": 2}).json()["rating"] == 2
    assert act(phone, fresh, "rate", {"rating": 4, "helped": True}).json()["helped"] is True
    act(phone, fresh, "rate", {"rating": 4, "helped": True})
    fresh.refresh_from_db()
    assert (fresh.rating, fresh.helped) == (4, True)
    assert AuditEvent.objects.filter(action="nudge.rate").count() == 2
    assert Notification.objects.get().cancelled_at is None


@pytest.mark.parametrize("body", [{}, {"rating": 0}, {"rating": 6}, {"rating": 2.5}])
def test_a_rating_that_says_nothing_is_refused(phone: Phone, fresh: Nudge, body: Any):
    assert act(phone, fresh, "rate", body).status_code == 400


@pytest.mark.parametrize("what", ["dismiss", "rate", "snooze"])
def test_nobody_answers_for_somebody_else(people: People, fresh: Nudge, what: str):
    until = (timezone.now() + timedelta(hours=2)).isoformat()
    body = {"dismiss": None, "rate": {"helped": True}, "snooze": {"until": until}}[what]
    assert people.other_patient.user is not None
    assert act(Phone.of(people.other_patient.user), fresh, what, body).status_code == 404
    assert act(Phone.of(people.therapist.user), fresh, what, body).status_code == 403
    fresh.refresh_from_db()
    assert (fresh.dismissed_at, fresh.rated_at, fresh.snoozed_until) == (None, None, None)


def test_what_was_never_sent_cannot_be_answered(people: People, phone: Phone):
    assert act(phone, say(people, at=timezone.now()), "dismiss").status_code == 404


# Who may read why --------------------------------------------------------------------------------


def test_the_care_team_reads_the_decisions_in_pages_and_leaves_a_trace(
    people: People, reachable: None
):
    for day in range(4):
        say(people, f"kind{day}", at=NOON + timedelta(days=day))
    therapist = Phone.of(people.therapist.user)
    path = f"/patients/{people.patient.pk}/decisions"
    first = therapist.get(f"{path}?limit=3").json()
    rest = therapist.get(f"{path}?limit=3&cursor={first['next_cursor']}").json()
    rows = first["results"] + rest["results"]
    assert [row["source"] for row in rows] == ["kind3", "kind2", "kind1", "kind0"]
    assert rest["next_cursor"] is None
    assert [row["why_not"] for row in rows] == ["budget", None, None, None]
    assert AuditEvent.objects.filter(action="decisions.read").count() == 2
    assert Phone.of(people.stranger.user).get(path).status_code == 404
    assert Phone.of(people.patient_user).get(path).status_code == 403


def test_a_flag_is_a_decision_and_so_is_one_that_is_held_back(people: People):
    first_on = NOON.date() - timedelta(days=3)
    raised = [
        raise_flag(
            actor=Actor.system("tests"),
            patient=people.patient,
            condition=condition,
            reason={"rule": condition.value},
            first_on=first_on,
            on=NOON.date(),
            now=NOON + timedelta(hours=hours),
        )
        for hours, condition in enumerate(
            [Condition.ABSENCE, Condition.WORSENING, Condition.WORSENING]
        )
    ]
    assert [alert is not None for alert in raised] == [True, False, False]
    made = Decision.objects.filter(kind="flag").order_by("at")
    assert [(row.source, row.chosen, row.why_not) for row in made] == [
        ("absence", "open", ""),
        ("worsening", "", "budget"),
    ]
    assert raised[0] is not None
    assert made[0].known["alert_id"] == str(raised[0].pk)


def test_a_calm_check_in_is_no_decision(phone: Phone):
    assert phone.post("/check-ins", check_in_body(mood=6)).status_code == 201
    assert not Decision.objects.exists()
