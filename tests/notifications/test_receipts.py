"""Receipts, and the one repeat of a message that no app has confirmed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections

from backend.accounts.models import AuditEvent, Device
from backend.notifications.models import Notification
from backend.notifications.push import Outcome
from backend.notifications.services import (
    DeliveryReport,
    Receipt,
    ReceiptEvent,
    cancel_pending,
    record_receipts,
    repeat_unconfirmed,
)
from backend.notifications.services.leases import claim_repeats
from tests.accounts.threads import at_once
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
from tests.people import People, actor_for, make_device
from tests.phones import Phone

HOUR = timedelta(hours=1)
ACUTE_DUE = NOON + timedelta(minutes=2)
NORMAL_DUE = NOON + timedelta(minutes=30)
MOMENT = timedelta(seconds=1)


def repeat(sender: RecordingSender, *, at: datetime) -> DeliveryReport:
    return repeat_unconfirmed(sender=sender, now=lambda: at)


def send_receipt(phone: Phone, row: Notification, event: str = "received", **more: Any) -> Any:
    at = more.pop("at", datetime.now(UTC))
    item = {"id": str(row.pk), "event": event, "at": at.isoformat(), **more}
    return phone.post("/me/notifications/receipts", {"receipts": [item]})


def own(people: People, **values: Any) -> Notification:
    return queue(draft(people.patient, people.patient_user, **values))[0]


# The route --------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", ["received", "opened", "acted_on"])
def test_a_receipt_is_kept_once(people: People, phone: Phone, event: str) -> None:
    row, at = own(people), NOON + timedelta(minutes=5)
    answers = [send_receipt(phone, row, event, at=at).json() for _ in range(2)]
    row.refresh_from_db()
    assert answers == [
        {"recorded": 1, "known": 0, "unknown": 0},
        {"recorded": 0, "known": 1, "unknown": 0},
    ]
    assert getattr(row, f"{event}_at") == at
    others = {"received_at", "opened_at", "acted_on_at"} - {f"{event}_at"}
    assert [getattr(row, name) for name in others] == [None, None]


def test_the_first_time_stands_in_whatever_order_they_come(people: People, phone: Phone) -> None:
    row, early = own(people), NOON + timedelta(minutes=5)
    for minutes in (9, 5, 7):
        send_receipt(phone, row, at=NOON + timedelta(minutes=minutes))
    row.refresh_from_db()
    assert row.received_at == early


def test_a_clock_that_cannot_be_right_is_moved_to_what_can(people: People, phone: Phone) -> None:
    early, late = own(people), own(people)
    send_receipt(phone, early, at=NOON - HOUR)
    send_receipt(phone, late, at=datetime.now(UTC) + HOUR)
    early.refresh_from_db()
    late.refresh_from_db()
    assert early.received_at == early.created_at
    assert late.received_at is not None
    assert late.received_at <= datetime.now(UTC)


def test_unknown_ids_and_others_messages_look_alike(people: People, phone: Phone) -> None:
    theirs = queue(draft(people.patient, people.therapist.user))[0]
    answers = [send_receipt(phone, row).json() for row in (theirs, Notification(pk=uuid4()))]
    theirs.refresh_from_db()
    assert answers == [{"recorded": 0, "known": 0, "unknown": 1}] * 2
    assert theirs.received_at is None
    assert not AuditEvent.objects.filter(action="notification.receipt").exists()


def test_a_clinician_confirms_their_own(people: People) -> None:
    row = queue(draft(people.patient, people.therapist.user))[0]
    assert send_receipt(Phone.of(people.therapist.user), row).json()["recorded"] == 1


def test_a_hundred_are_audited_once_each_and_never_again(people: People, phone: Phone) -> None:
    rows = queue(*(draft(people.patient, people.patient_user) for _ in range(100)))
    at = datetime.now(UTC).isoformat()
    body = {"receipts": [{"id": str(row.pk), "event": "opened", "at": at} for row in rows]}
    for _ in range(2):
        assert phone.post("/me/notifications/receipts", body).status_code == 200
    events = AuditEvent.objects.filter(action="notification.receipt")
    assert {event.object_id for event in events} == {str(row.pk) for row in rows}
    assert [event.facts for event in events] == [{"events": ["opened"]}] * 100


@pytest.mark.parametrize(
    "change",
    [
        {"event": "liked"},
        {"at": "2025-03-11T16:00:00"},
        {"at": "yesterday"},
        {"id": "mine"},
        {"more": 1},
    ],
    ids=str,
)
def test_a_malformed_receipt_stores_nothing(
    people: People, phone: Phone, change: dict[str, Any]
) -> None:
    row = own(people)
    item = {"id": str(row.pk), "event": "opened", "at": NOON.isoformat(), **change}
    answer = phone.post("/me/notifications/receipts", {"receipts": [item]})
    row.refresh_from_db()
    assert answer.status_code == 400
    assert row.opened_at is None


@pytest.mark.parametrize("count", [0, 101])
def test_none_and_too_many_are_refused(phone: Phone, count: int) -> None:
    item = {"id": str(uuid4()), "event": "opened", "at": NOON.isoformat()}
    answer = phone.post("/me/notifications/receipts", {"receipts": [item] * count})
    assert answer.status_code == 400


def test_an_administrator_gets_no_messages_and_confirms_none(people: People) -> None:
    phone = Phone.of(people.administrator.user)
    assert send_receipt(phone, Notification(pk=uuid4())).status_code == 403


# The repeat -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("values", "due"), [(ACUTE, ACUTE_DUE), ({}, NORMAL_DUE)], ids=str)
def test_it_is_sent_once_more_when_it_is_time_and_never_a_third_time(
    worker_db: None, people: People, values: dict[str, Any], due: datetime
) -> None:
    make_device(people.patient_user, "the-phone")
    row, sender = own(people, **values), RecordingSender()
    deliver(sender)
    assert repeat(sender, at=due - MOMENT).sent == 0
    assert repeat(sender, at=due).sent == 1
    assert repeat(sender, at=due + HOUR).claimed == 0
    first, second = sender.sent
    assert first.collapse_id == second.collapse_id == str(row.pk)
    assert first.target == second.target == "the-phone"
    assert attempts(row) == [("accepted", 1), ("accepted", 2)]
    row.refresh_from_db()
    assert (row.outcome, row.settled_at) == ("accepted", NOON)
    assert (row.repeat_due_at, row.lease_token) == (None, None)


@pytest.mark.parametrize("event", list(ReceiptEvent))
def test_not_after_any_receipt(worker_db: None, people: People, event: ReceiptEvent) -> None:
    make_device(people.patient_user)
    row, sender = own(people), RecordingSender()
    deliver(sender)
    confirm(people, row, event)
    assert repeat(sender, at=NORMAL_DUE).claimed == 0
    assert attempts(row) == [("accepted", 1)]


def confirm(people: People, row: Notification, event: ReceiptEvent = ReceiptEvent.RECEIVED) -> None:
    receipt = Receipt(row.pk, event, NOON)
    record_receipts(actor=actor_for(people.patient_user), receipts=[receipt], now=NOON + MOMENT)


def test_not_after_a_receipt_that_was_faster_than_our_own_record(
    worker_db: None, people: People
) -> None:
    make_device(people.patient_user)
    row, sender = own(people), RecordingSender()
    sender.before = lambda: confirm(people, row)
    deliver(sender)
    assert repeat(sender, at=NORMAL_DUE).claimed == 0
    row.refresh_from_db()
    assert (row.outcome, row.repeat_due_at) == ("accepted", None)


def test_another_persons_receipt_holds_nothing_back(worker_db: None, people: People) -> None:
    make_device(people.patient_user)
    row, sender = own(people), RecordingSender()
    deliver(sender)
    receipt = Receipt(row.pk, ReceiptEvent.OPENED, NOON)
    record_receipts(actor=actor_for(people.therapist.user), receipts=[receipt], now=NOON)
    assert repeat(sender, at=NORMAL_DUE).sent == 1


def test_not_after_it_was_taken_back(worker_db: None, people: People) -> None:
    """Acknowledging an alert and storing a check-in take back what is about them."""
    make_device(people.patient_user)
    row, other = own(people, subject="alert:1"), own(people, subject="alert:2")
    sender = RecordingSender()
    deliver(sender)
    cancel_pending(subject="alert:1", now=NOON + MOMENT)
    assert repeat(sender, at=NORMAL_DUE).sent == 1
    assert len(attempts(row)) == 1
    assert len(attempts(other)) == 2


@pytest.mark.parametrize("how", ["receipt", "taken_back"])
def test_not_when_that_happens_under_the_senders_hands(
    worker_db: None, people: People, how: str
) -> None:
    make_device(people.patient_user)
    row, sender = own(people, subject="alert:1"), RecordingSender()
    deliver(sender)
    claimed = claim_repeats(limit=5, now=NORMAL_DUE)
    assert claimed.ids == [row.pk]
    if how == "receipt":
        confirm(people, row)
    else:
        cancel_pending(subject="alert:1", now=NORMAL_DUE)
    assert repeat(sender, at=NORMAL_DUE + HOUR).claimed == 0
    row.refresh_from_db()
    assert (row.lease_token, row.outcome) == (None, "accepted")


def test_not_when_its_life_ends_before(worker_db: None, people: People) -> None:
    make_device(people.patient_user)
    own(people, expires_at=NORMAL_DUE)
    late = own(people, expires_at=NORMAL_DUE + MOMENT)
    sender = RecordingSender()
    deliver(sender)
    assert repeat(sender, at=NORMAL_DUE + 2 * MOMENT).sent == 0
    late.refresh_from_db()
    assert (late.outcome, late.repeat_due_at) == ("accepted", None)


@pytest.mark.parametrize(
    "change", [{"unbound_at": NOON, "unbound_reason": "revoked"}, {"is_private": False}], ids=str
)
def test_not_to_a_phone_that_is_gone_or_not_private(
    worker_db: None, people: People, change: dict[str, Any]
) -> None:
    kept, lost = make_device(people.patient_user, "kept"), make_device(people.patient_user, "lost")
    row, sender = own(people), RecordingSender()
    deliver(sender)
    Device.objects.filter(pk=lost.pk).update(**change)
    repeat(sender, at=NORMAL_DUE)
    assert sorted(sender.targets) == [kept.push_target, kept.push_target, lost.push_target]
    assert [number for _outcome, number in attempts(row)] == [1, 1, 2]


def test_not_to_a_phone_that_came_later(worker_db: None, people: People) -> None:
    make_device(people.patient_user, "first")
    own(people)
    sender = RecordingSender()
    deliver(sender)
    make_device(people.patient_user, "later")
    repeat(sender, at=NORMAL_DUE)
    assert sender.targets == ["first", "first"]


def test_not_in_quiet_hours(worker_db: None, people: People) -> None:
    evening = NOON + timedelta(hours=8, minutes=45)  # 20:45 in New York
    make_device(people.patient_user)
    row = own(people, now=evening, obeys_quiet_hours=True, expires_at=evening + timedelta(hours=14))
    sender = RecordingSender()
    deliver(sender, at=evening)
    assert repeat(sender, at=evening + timedelta(minutes=30)).sent == 0
    assert repeat(sender, at=evening + timedelta(hours=11)).sent == 0
    assert repeat(sender, at=evening + timedelta(hours=12)).sent == 1
    assert [number for _outcome, number in attempts(row)] == [1, 2]


def test_not_what_was_never_accepted(worker_db: None, people: People) -> None:
    make_device(people.patient_user)
    sender = RecordingSender(always(Outcome.REJECTED))
    row = own(people)
    deliver(sender)
    row.refresh_from_db()
    assert (row.outcome, row.repeat_due_at) == ("dead", None)
    assert repeat(sender, at=NORMAL_DUE).claimed == 0


def test_a_repeat_without_an_answer_is_tried_again_and_the_row_stays_accepted(
    worker_db: None, people: People
) -> None:
    make_device(people.patient_user)
    row, sender = own(people), RecordingSender()
    deliver(sender)
    repeat(RecordingSender(always(Outcome.UNKNOWN)), at=NORMAL_DUE)
    repeat(sender, at=NORMAL_DUE + timedelta(minutes=2))
    row.refresh_from_db()
    assert attempts(row) == [("accepted", 1), ("unknown", 2), ("accepted", 3)]
    assert (row.outcome, row.repeat_due_at) == ("accepted", None)


def test_a_repeat_whose_sender_died_is_taken_over_but_not_for_ever(
    worker_db: None, people: People
) -> None:
    make_device(people.patient_user)
    row, sender = own(people), RecordingSender()
    deliver(sender)
    at = NORMAL_DUE
    for _ in range(2):  # claimed, and never heard of again
        assert claim_repeats(limit=5, now=at).ids == [row.pk]
        at += timedelta(minutes=1)
    assert claim_repeats(limit=5, now=at - timedelta(seconds=55)).ids == []
    assert repeat(sender, at=at).sent == 0
    row.refresh_from_db()
    assert (row.outcome, row.repeat_due_at) == ("accepted", None)
    assert repeat(sender, at=at + HOUR).claimed == 0


def test_ten_senders_repeat_once(worker_db: None, people: People) -> None:
    make_device(people.patient_user)
    rows = [own(people) for _ in range(10)]
    sender = RecordingSender()
    deliver(sender)
    at_once([lambda: repeat(sender, at=NORMAL_DUE)] * 10)
    assert sender.counts == {row.pk: 2 for row in rows}
    connections.close_all()


def test_it_refuses_to_send_inside_a_transaction(people: People) -> None:
    with pytest.raises(RuntimeError):
        repeat(RecordingSender(), at=NOON)
