"""What follows from each outcome: for the device, for the channel, for the message."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from backend.accounts.models import AccessToken, AuditEvent, Device
from backend.notifications.models import ChannelState, DeliveryAttempt, Notification
from backend.notifications.push import Outcome, PushMessage, SendResult
from backend.notifications.selectors import delivery_is_alive
from backend.notifications.services import beat
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
from tests.phones import make_token

pytestmark = pytest.mark.usefixtures("worker_db")
SECOND = timedelta(seconds=1)


def acute(people: People, **values: Any) -> Notification:
    (row,) = queue(draft(people.patient, people.patient_user, **{**ACUTE, **values}))
    return row


def by_target(**outcomes: Outcome) -> Callable[[PushMessage], SendResult]:
    return lambda message: SendResult(outcomes[message.target])


def test_an_unknown_outcome_is_repeated_under_the_same_id_for_that_phone_alone(
    people: People,
) -> None:
    make_device(people.patient_user, "good")
    make_device(people.patient_user, "slow")
    row = acute(people)
    sender = RecordingSender(answer=by_target(good=Outcome.ACCEPTED, slow=Outcome.UNKNOWN))
    deliver(sender)
    row.refresh_from_db()
    assert row.outcome == ""
    assert NOON < row.due_at <= NOON + 0.5 * SECOND
    sender.answer = always(Outcome.ACCEPTED)
    deliver(sender, at=row.due_at)
    row.refresh_from_db()
    assert row.outcome == "accepted"
    assert sender.targets.count("good") == 1
    assert sender.targets.count("slow") == 2
    assert len({message.collapse_id for message in sender.sent}) == 1
    assert [number for _, number in attempts(row)] == [1, 1, 2]


@pytest.mark.parametrize(("kind", "limit"), [(ACUTE, 2 * SECOND), ({}, 60 * SECOND)])
def test_the_wait_is_capped_and_the_repeats_end_with_the_message(
    people: People, kind: dict[str, Any], limit: timedelta
) -> None:
    make_device(people.patient_user)
    life = NOON + timedelta(minutes=20)
    (row,) = queue(draft(people.patient, people.patient_user, expires_at=life, **kind))
    sender = RecordingSender(answer=always(Outcome.UNKNOWN, error="Timeout"))
    at, waits = NOON, []
    while not row.outcome:
        deliver(sender, at=at)
        row.refresh_from_db()
        waits.append(row.due_at - at)
        at = row.due_at
    assert row.outcome == "expired"
    assert at == life
    assert max(waits) <= limit
    assert len(sender.sent) >= timedelta(minutes=20) // limit
    assert row.unreturned_claims == 0


def test_a_gone_target_retires_that_device_and_no_other(people: People) -> None:
    gone = make_device(people.patient_user, "gone")
    kept = make_device(people.patient_user, "kept")
    make_token(people.patient_user)
    row = acute(people)
    deliver(RecordingSender(answer=by_target(gone=Outcome.TARGET_GONE, kept=Outcome.ACCEPTED)))
    gone.refresh_from_db()
    kept.refresh_from_db()
    row.refresh_from_db()
    assert (gone.unbound_at, gone.unbound_reason) == (NOON, "target_gone")
    assert (kept.unbound_at, row.outcome) == (None, "accepted")
    assert AccessToken.objects.get().revoked_at is None
    event = AuditEvent.objects.get(action="device.retire")
    assert (event.object_id, event.actor_name) == (str(gone.pk), "deliver_due")
    assert "gone" not in {event.facts.get("target"), event.object_kind}


def test_an_alert_whose_only_phone_is_gone_waits_for_another(people: People) -> None:
    make_device(people.patient_user)
    row = acute(people)
    deliver(RecordingSender(answer=always(Outcome.TARGET_GONE)))
    row.refresh_from_db()
    assert (row.outcome, row.due_at) == ("", NOON + 5 * SECOND)
    make_device(people.patient_user, "new")
    sender = RecordingSender()
    deliver(sender, at=row.due_at)
    assert sender.targets == ["new"]


def test_a_nudge_whose_only_phone_is_gone_is_over(people: People) -> None:
    make_device(people.patient_user)
    (row,) = queue(draft(people.patient, people.patient_user))
    deliver(RecordingSender(answer=always(Outcome.TARGET_GONE)))
    row.refresh_from_db()
    assert row.outcome == "no_device"


def test_a_late_gone_does_not_retire_a_phone_that_has_a_new_target(people: People) -> None:
    device = make_device(people.patient_user, "old")
    row = acute(people)

    def register_anew() -> None:
        Device.objects.filter(pk=device.pk).update(push_target="new")

    sender = RecordingSender(answer=always(Outcome.TARGET_GONE), before=register_anew)
    deliver(sender)
    device.refresh_from_db()
    assert device.unbound_at is None
    sender.answer = always(Outcome.ACCEPTED)
    deliver(sender)
    row.refresh_from_db()
    assert (sender.targets, row.outcome) == (["old", "new"], "accepted")


def test_our_fault_stops_the_channel_and_punishes_nobody(people: People) -> None:
    device = make_device(people.patient_user)
    row = acute(people)
    sender = RecordingSender(answer=always(Outcome.OUR_FAULT, error="Unauthenticated"))
    deliver(sender)
    state = ChannelState.objects.get(channel="recording")
    assert (state.stopped_until, state.last_error) == (NOON + 5 * SECOND, "Unauthenticated")
    row.refresh_from_db()
    device.refresh_from_db()
    assert (row.outcome, row.attempts, row.unreturned_claims) == ("", 0, 0)
    assert device.unbound_at is None
    assert deliver(sender, at=NOON + 4 * SECOND).claimed == 0
    assert len(sender.sent) == 1


def test_a_stopped_channel_stays_stopped_longer_up_to_a_limit_and_then_resumes(
    people: People,
) -> None:
    make_device(people.patient_user)
    row = acute(people)
    sender = RecordingSender(answer=always(Outcome.OUR_FAULT))
    at, stops = NOON, []
    for _ in range(30):
        deliver(sender, at=at)
        until = ChannelState.objects.get().stopped_until
        assert until is not None
        stops.append((until - at).total_seconds())
        at = until
    assert stops[0] == 5
    assert stops == sorted(stops)
    assert stops[-1] == 60
    row.refresh_from_db()
    assert (row.outcome, row.attempts) == ("", 0)
    sender.answer = always(Outcome.ACCEPTED)
    deliver(sender, at=at)
    row.refresh_from_db()
    state = ChannelState.objects.get()
    assert row.outcome == "accepted"
    assert (state.stopped_until, state.failing_since, state.last_error) == (None, None, "")
    assert state.last_accepted_at == at


def test_one_accepted_message_shows_that_the_fault_is_not_ours(people: People) -> None:
    make_device(people.patient_user, "good")
    make_device(people.patient_user, "odd")
    row = acute(people)
    sender = RecordingSender(answer=by_target(good=Outcome.ACCEPTED, odd=Outcome.OUR_FAULT))
    deliver(sender)
    row.refresh_from_db()
    assert ChannelState.objects.get().stopped_until is None
    assert row.outcome == ""
    assert row.due_at > NOON


def test_a_rate_limit_is_kept_for_that_phone_and_not_for_the_other(people: People) -> None:
    make_device(people.patient_user, "limited")
    make_device(people.patient_user, "slow")
    row = acute(people)

    def answer(message: PushMessage) -> SendResult:
        if message.target == "limited":
            return SendResult(Outcome.RATE_LIMITED, retry_after=30 * SECOND)
        return SendResult(Outcome.UNKNOWN)

    sender = RecordingSender(answer=answer)
    at = NOON
    while at < NOON + 29 * SECOND:
        deliver(sender, at=at)
        row.refresh_from_db()
        at = row.due_at
    assert sender.targets.count("limited") == 1
    assert sender.targets.count("slow") > 10
    deliver(sender, at=NOON + 30 * SECOND)
    assert sender.targets.count("limited") == 2


def test_a_rejected_message_is_never_repeated_and_the_operator_is_told(
    people: People, caplog: pytest.LogCaptureFixture
) -> None:
    make_device(people.patient_user)
    (row,) = queue(draft(people.patient, people.patient_user))
    sender = RecordingSender(answer=always(Outcome.REJECTED))
    deliver(sender)
    deliver(sender, at=NOON + timedelta(minutes=5))
    row.refresh_from_db()
    assert (row.outcome, len(sender.sent)) == ("dead", 1)
    told = [record for record in caplog.records if "notification_dead" in str(record.msg)]
    assert len(told) == 1


def test_the_error_is_kept_short(people: People) -> None:
    make_device(people.patient_user)
    acute(people)
    deliver(RecordingSender(answer=always(Outcome.UNKNOWN, error="E" * 200)))
    assert DeliveryAttempt.objects.get().error == "E" * 60


def test_delivery_is_alive_while_somebody_goes_round_and_the_channel_works(
    people: People,
) -> None:
    assert not delivery_is_alive(now=NOON)
    beat(process="relay", now=NOON)
    assert delivery_is_alive(now=NOON + 14 * SECOND)
    assert not delivery_is_alive(now=NOON + 15 * SECOND)
    beat(process="relay", now=NOON + 15 * SECOND)
    assert delivery_is_alive(now=NOON + 16 * SECOND)


def test_delivery_is_not_alive_while_the_channel_is_stopped(people: People) -> None:
    make_device(people.patient_user)
    acute(people)
    beat(process="worker", now=NOON)
    deliver(RecordingSender(answer=always(Outcome.OUR_FAULT)))
    assert not delivery_is_alive(now=NOON)
    assert delivery_is_alive(now=NOON + 5 * SECOND)


def test_delivery_is_not_alive_while_nothing_has_been_accepted_for_long(people: People) -> None:
    make_device(people.patient_user)
    row = acute(people)
    sender = RecordingSender(answer=always(Outcome.UNKNOWN))
    at = NOON
    while at <= NOON + 40 * SECOND:
        deliver(sender, at=at)
        beat(process="relay", now=at)
        assert delivery_is_alive(now=at) == (at <= NOON + 30 * SECOND)
        row.refresh_from_db()
        at = row.due_at
    sender.answer = always(Outcome.ACCEPTED)
    deliver(sender, at=at)
    assert delivery_is_alive(now=at)
