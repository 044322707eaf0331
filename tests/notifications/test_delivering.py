"""One sender, one message after the other: what is sent to whom, and what must not be."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.db import transaction

from backend.accounts.models import CareTeamMember, Device, Patient, User
from backend.notifications.models import DeliveryAttempt, Notification, NotificationKind
from backend.notifications.push import Outcome
from backend.notifications.services import Lane, cancel_pending, deliver_due
from tests.notifications.outbox import (
    ACUTE,
    NOON,
    RecordingSender,
    always,
    attempts,
    deliver,
    draft,
    queue,
)
from tests.people import People, make_device

pytestmark = pytest.mark.usefixtures("worker_db")
NIGHT = datetime(2025, 3, 12, 3, 0, tzinfo=UTC)
MORNING = datetime(2025, 3, 12, 12, 0, tzinfo=UTC)


def nudge(people: People, **values: Any) -> Notification:
    (row,) = queue(draft(people.patient, people.patient_user, **values))
    return row


def alert(people: People, recipient: User, **values: Any) -> Notification:
    (row,) = queue(draft(people.patient, recipient, **{**ACUTE, **values}))
    return row


def outcome(row: Notification) -> str:
    row.refresh_from_db()
    return row.outcome


def test_it_runs_as_the_worker_role(people: People) -> None:
    with transaction.get_connection().cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("handrail_worker",)


def test_every_live_phone_gets_one_message_and_the_row_is_settled(people: People) -> None:
    make_device(people.patient_user, "one")
    make_device(people.patient_user, "two", target_kind="fid")
    make_device(people.therapist.user, "not-theirs")
    row, sender = nudge(people), RecordingSender()
    report = deliver(sender)
    assert sorted(sender.targets) == ["one", "two"]
    assert (report.claimed, report.sent, report.accepted, report.settled) == (1, 2, 1, 1)
    assert outcome(row) == "accepted"
    assert (row.settled_at, row.lease_token, row.attempts) == (NOON, None, 1)
    assert attempts(row) == [("accepted", 1), ("accepted", 1)]
    assert deliver(sender, at=NOON + timedelta(hours=1)).claimed == 0
    assert len(sender.sent) == 2


def test_the_message_carries_a_random_id_and_nothing_about_the_person(people: People) -> None:
    User.objects.filter(pk=people.patient_user.pk).update(language="es")
    make_device(people.patient_user, "one")
    row, sender = (
        alert(people, people.patient_user, text_facts={"note": "craving"}),
        (RecordingSender()),
    )
    deliver(sender)
    (message,) = sender.sent
    assert (message.title, message.body) == ("Handrail", "Tienes un mensaje nuevo.")
    assert message.notification_id == row.pk
    assert message.collapse_id == str(row.pk)
    assert message.expires_at == row.expires_at
    assert message.urgent


def test_the_ledger_never_holds_the_target(people: People) -> None:
    device = make_device(people.patient_user, "a-secret-target")
    nudge(people)
    deliver(RecordingSender(answer=always(Outcome.ACCEPTED, provider_id="p" * 300)))
    (attempt,) = DeliveryAttempt.objects.all()
    assert (attempt.device_id, attempt.channel) == (device.pk, "recording")
    assert (attempt.started_at, attempt.ended_at) == (NOON, NOON)
    assert attempt.provider_id == "p" * 200
    stored = DeliveryAttempt.objects.values_list()
    assert "a-secret-target" not in str(list(stored))


def test_sending_inside_a_transaction_is_refused(people: People) -> None:
    make_device(people.patient_user)
    nudge(people)
    sender = RecordingSender()
    with transaction.atomic(), pytest.raises(RuntimeError, match="transaction"):
        deliver(sender)
    assert sender.sent == []


def test_the_sender_is_called_outside_any_transaction(people: People) -> None:
    make_device(people.patient_user)
    nudge(people)
    seen: list[bool] = []
    connection = transaction.get_connection()
    deliver(RecordingSender(before=lambda: seen.append(connection.in_atomic_block)))
    assert seen == [False]


def test_what_is_not_due_is_not_claimed(people: People) -> None:
    make_device(people.patient_user)
    row = nudge(people, due_at=NOON + timedelta(seconds=1))
    sender = RecordingSender()
    assert deliver(sender).claimed == 0
    assert deliver(sender, at=row.due_at).accepted == 1


def test_the_acute_lane_takes_acute_messages_alone_and_they_go_first(people: People) -> None:
    make_device(people.patient_user)
    calm = nudge(people, due_at=NOON - timedelta(hours=1))
    acute = alert(people, people.patient_user)
    sender = RecordingSender()
    assert deliver(sender, lane=Lane.ALL, limit=1).claimed == 1
    assert [message.notification_id for message in sender.sent] == [acute.pk]
    assert deliver(sender, lane=Lane.ACUTE).claimed == 0
    assert outcome(calm) == ""


def test_a_cancelled_message_is_not_sent(people: People) -> None:
    make_device(people.patient_user)
    row, sender = nudge(people), RecordingSender()
    cancel_pending(subject=row.subject, now=NOON)
    assert deliver(sender).claimed == 0
    assert sender.sent == []


def test_an_expired_message_is_not_sent(people: People) -> None:
    make_device(people.patient_user)
    row, sender = nudge(people), RecordingSender()
    deliver(sender, at=row.expires_at)
    assert (sender.sent, outcome(row)) == ([], "expired")


@pytest.mark.parametrize(
    "values",
    [{"unbound_at": NOON, "unbound_reason": "signed_out"}, {"is_private": False}],
    ids=["unbound", "not private"],
)
def test_a_phone_that_is_gone_or_not_private_gets_nothing(
    people: People, values: dict[str, Any]
) -> None:
    make_device(people.patient_user, **values)
    row, sender = nudge(people), RecordingSender()
    deliver(sender)
    assert (sender.sent, outcome(row)) == ([], "no_device")


def test_an_alert_without_a_phone_waits_for_one_until_it_expires(people: People) -> None:
    row, sender = alert(people, people.patient_user), RecordingSender()
    deliver(sender)
    assert outcome(row) == ""
    assert (row.due_at, row.attempts) == (NOON + timedelta(seconds=5), 0)
    assert deliver(sender, at=NOON + timedelta(seconds=4)).claimed == 0
    make_device(people.patient_user, "new")
    deliver(sender, at=NOON + timedelta(seconds=5))
    assert (sender.targets, outcome(row)) == (["new"], "accepted")


def test_an_alert_that_nobody_could_be_sent_expires(people: People) -> None:
    row = alert(people, people.patient_user, expires_at=NOON + timedelta(seconds=3))
    deliver(RecordingSender())
    row.refresh_from_db()
    assert row.due_at == row.expires_at
    deliver(RecordingSender(), at=row.expires_at)
    assert outcome(row) == "expired"


def test_quiet_hours_move_the_message_to_the_morning_and_count_no_attempt(people: People) -> None:
    make_device(people.patient_user)
    life = NIGHT + timedelta(days=1)
    row = nudge(people, now=NIGHT, obeys_quiet_hours=True, expires_at=life)
    sender = RecordingSender()
    deliver(sender, at=NIGHT)
    assert (outcome(row), sender.sent) == ("", [])
    assert (row.due_at, row.attempts, row.lease_token) == (MORNING, 0, None)
    deliver(sender, at=MORNING)
    assert (outcome(row), len(sender.sent)) == ("accepted", 1)


def test_a_message_that_ends_with_the_night_is_dropped_and_not_sent_in_it(people: People) -> None:
    make_device(people.patient_user)
    row = nudge(people, now=NIGHT, obeys_quiet_hours=True)
    sender = RecordingSender()
    deliver(sender, at=NIGHT)
    deliver(sender, at=row.expires_at)
    assert (outcome(row), sender.sent) == ("expired", [])


def test_acute_messages_know_no_night(people: People) -> None:
    make_device(people.patient_user)
    row = alert(people, people.patient_user, now=NIGHT)
    deliver(RecordingSender(), at=NIGHT)
    assert outcome(row) == "accepted"


def test_quiet_hours_are_those_of_the_recipient(people: People) -> None:
    """At 3:00 UTC it is night for the therapist in New York and noon for the patient in Tokyo."""
    Patient.objects.filter(pk=people.patient.pk).update(time_zone="Asia/Tokyo")
    make_device(people.patient_user, "patient")
    make_device(people.therapist.user, "therapist")
    nudge(people, now=NIGHT, obeys_quiet_hours=True)
    alert(people, people.therapist.user, now=NIGHT, obeys_quiet_hours=True)
    sender = RecordingSender()
    deliver(sender, at=NIGHT)
    assert sender.targets == ["patient"]


def test_a_patient_has_quiet_hours_of_their_own(people: People) -> None:
    """23:00 in New York: awake until midnight, and asleep until ten."""
    own = [time(0), time(10)]
    Patient.objects.filter(pk=people.patient.pk).update(quiet_hours=own)
    make_device(people.patient_user, "patient")
    make_device(people.therapist.user, "therapist")
    life = NIGHT + timedelta(days=1)
    nudge(people, now=NIGHT, obeys_quiet_hours=True)
    late = nudge(people, now=MORNING, obeys_quiet_hours=True, expires_at=life)
    acute = alert(people, people.patient_user, now=MORNING)
    told = alert(people, people.therapist.user, now=NIGHT, obeys_quiet_hours=True, expires_at=life)
    sender = RecordingSender()
    deliver(sender, at=NIGHT)
    assert sender.targets == ["patient"]
    deliver(sender, at=MORNING)
    assert [outcome(row) for row in (late, acute, told)] == ["", "accepted", "accepted"]
    assert late.due_at == MORNING + timedelta(hours=2)
    deliver(sender, at=late.due_at)
    assert outcome(late) == "accepted"


def test_hours_changed_while_it_waits_hold_and_so_does_a_flight(people: People) -> None:
    make_device(people.patient_user)
    life = NIGHT + timedelta(days=2)
    row, sender = (
        nudge(people, now=NIGHT, obeys_quiet_hours=True, expires_at=life),
        RecordingSender(),
    )
    deliver(sender, at=NIGHT)
    own = Patient.objects.filter(pk=people.patient.pk)
    own.update(quiet_hours=[time(21), time(11)])
    deliver(sender, at=MORNING)
    assert (outcome(row), row.due_at) == ("", MORNING + timedelta(hours=3))
    own.update(time_zone="America/Los_Angeles")
    deliver(sender, at=row.due_at)
    assert (outcome(row), row.due_at) == ("", MORNING + timedelta(hours=6))
    own.update(quiet_hours=[time(9), time(9)])
    deliver(sender, at=row.due_at)
    assert outcome(row) == "accepted"


def test_an_unknown_zone_does_not_stop_the_others(people: People) -> None:
    Patient.objects.filter(pk=people.patient.pk).update(time_zone="Mars/Olympus")
    make_device(people.patient_user)
    row = nudge(people, obeys_quiet_hours=True)
    deliver(RecordingSender())
    assert outcome(row) == "accepted"


def test_a_closed_account_gets_nothing(people: People) -> None:
    make_device(people.patient_user)
    User.objects.filter(pk=people.patient_user.pk).update(is_active=False)
    row, sender = alert(people, people.patient_user), RecordingSender()
    deliver(sender)
    assert (sender.sent, outcome(row)) == ([], "cancelled")
    assert row.cancelled_at == NOON


def test_after_discharge_only_acute_messages_go_out(people: People) -> None:
    make_device(people.patient_user)
    calm, acute = nudge(people), alert(people, people.patient_user)
    Patient.objects.filter(pk=people.patient.pk).update(discharged_at=NOON)
    sender = RecordingSender()
    deliver(sender)
    assert [message.notification_id for message in sender.sent] == [acute.pk]
    assert (outcome(calm), outcome(acute)) == ("cancelled", "accepted")


def test_a_clinician_who_may_no_longer_see_the_patient_is_not_told(people: People) -> None:
    make_device(people.therapist.user, "therapist")
    make_device(people.on_call.user, "on call")
    left, stays = alert(people, people.therapist.user), alert(people, people.on_call.user)
    CareTeamMember.objects.filter(patient=people.patient).update(ended_on="2025-02-01")
    sender = RecordingSender()
    deliver(sender)
    assert sender.targets == ["on call"]
    assert (outcome(left), outcome(stays)) == ("cancelled", "accepted")


def test_a_therapist_who_never_was_theirs_is_not_told(people: People) -> None:
    make_device(people.stranger.user)
    row, sender = alert(people, people.stranger.user), RecordingSender()
    deliver(sender)
    assert (sender.sent, outcome(row)) == ([], "cancelled")


def test_more_messages_than_one_send_takes_are_handed_back_untouched(people: People) -> None:
    for _ in range(40):
        make_device(people.patient_user)
    rows = [nudge(people) for _ in range(3)]
    sender = RecordingSender()
    report = deliver(sender)
    assert (report.claimed, report.sent, report.settled) == (3, 80, 2)
    left = [row for row in rows if outcome(row) == ""]
    assert [(row.attempts, row.lease_token, row.due_at) for row in left] == [(0, None, NOON)]
    assert deliver(sender).settled == 1


def test_a_sender_that_raises_or_miscounts_leaves_the_outcome_unknown(people: People) -> None:
    make_device(people.patient_user)

    class Broken(RecordingSender):
        def send(self, messages: Any, *, now: datetime) -> Any:
            super().send(messages, now=now)
            raise ValueError("text that may repeat the target")

    class Miscounting(RecordingSender):
        def send(self, messages: Any, *, now: datetime) -> Any:
            return super().send(messages, now=now)[1:]

    row = nudge(people)
    deliver(Broken())
    deliver(Miscounting(), at=NOON + timedelta(minutes=1))
    stored = DeliveryAttempt.objects.filter(notification=row).order_by("pk")
    assert [(one.outcome, one.error) for one in stored] == [
        ("unknown", "ValueError"),
        ("unknown", "WrongCount"),
    ]
    assert outcome(row) == ""


def test_one_that_is_erased_while_it_is_sent_does_not_hold_up_the_others(people: People) -> None:
    make_device(people.patient_user)
    erased, other = nudge(people), nudge(people)
    erase = Notification.objects.filter(pk=erased.pk)
    deliver(RecordingSender(before=erase.delete))
    assert outcome(other) == "accepted"
    assert not DeliveryAttempt.objects.filter(notification_id=erased.pk).exists()


def test_a_support_message_is_for_the_patient_who_may_see_themselves(people: People) -> None:
    make_device(people.patient_user)
    row = alert(people, people.patient_user, kind=NotificationKind.SUPPORT)
    deliver(RecordingSender())
    assert outcome(row) == "accepted"


def test_a_full_batch_says_that_there_may_be_more(people: People) -> None:
    make_device(people.patient_user)
    for _ in range(3):
        nudge(people)
    assert deliver(RecordingSender(), limit=2).is_full
    assert not deliver(RecordingSender(), limit=2).is_full


def test_the_clock_is_asked_again_after_the_send(people: People) -> None:
    device = make_device(people.patient_user)
    row = nudge(people)
    moments = iter(NOON + timedelta(seconds=n) for n in range(100))
    deliver_due(sender=RecordingSender(), now=lambda: next(moments))
    attempt = DeliveryAttempt.objects.get(notification=row, device=device)
    assert attempt.started_at < attempt.ended_at
    row.refresh_from_db()
    assert row.settled_at == attempt.ended_at
    assert Device.objects.get().unbound_at is None
