"""Several senders at once, senders that die, and senders that come back too late."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connections, transaction

from backend.accounts.models import Device
from backend.notifications.models import Notification
from backend.notifications.push import Outcome, SendResult
from backend.notifications.services import Lane, cancel_pending, delivering
from backend.notifications.services.leases import (
    LEASE,
    MOST_UNRETURNED_CLAIMS,
    SUSPECT_AFTER,
    claim,
)
from tests.acting import carried
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


class Killed(BaseException):
    """Ends a sender as a kill would: nothing after it runs."""


def kill() -> None:
    raise Killed


def one(people: People, **values: Any) -> Notification:
    (row,) = queue(draft(people.patient, people.patient_user, **{**ACUTE, **values}))
    return row


def in_threads(count: int, work: Callable[[], object]) -> None:
    """Each on connections of its own, all let go at once; raises when one of them did."""
    start, errors = threading.Barrier(count), []

    def run() -> None:
        start.wait()
        try:
            work()
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=carried(run)) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_two_senders_and_one_message_are_one_send(people: People) -> None:
    make_device(people.patient_user)
    for _ in range(10):
        row, sender = one(people), RecordingSender()
        in_threads(2, partial(deliver, sender))
        row.refresh_from_db()
        assert (sender.counts, row.outcome) == ({row.pk: 1}, "accepted")


def test_twenty_senders_send_two_hundred_messages_once_each(people: People) -> None:
    make_device(people.patient_user)
    rows = queue(*(draft(people.patient, people.patient_user) for _ in range(200)))
    sender = RecordingSender()

    def drain() -> None:
        while deliver(sender, limit=7).claimed:
            pass

    in_threads(20, drain)
    assert set(sender.counts) == {row.pk for row in rows}
    assert set(sender.counts.values()) == {1}
    assert Notification.objects.filter(outcome="accepted", attempts=1).count() == 200


def test_a_row_that_another_holds_is_passed_over_and_not_waited_for(people: People) -> None:
    make_device(people.patient_user)
    held, free = one(people), one(people)
    sender = RecordingSender()
    with transaction.atomic():
        Notification.objects.select_for_update().get(pk=held.pk)
        in_threads(1, lambda: deliver(sender))
    assert set(sender.counts) == {free.pk}


def test_a_claim_never_takes_more_than_it_was_asked_to(people: People) -> None:
    queue(*(draft(people.patient, people.patient_user) for _ in range(20)))
    taken = [claim(lane=Lane.ALL, suspects=False, limit=6, now=NOON) for _ in range(4)]
    assert [len(batch.ids) for batch in taken] == [6, 6, 6, 2]
    assert len({key for batch in taken for key in batch.ids}) == 20


def test_a_sender_that_dies_after_the_send_is_followed_by_one_with_the_same_id(
    people: People,
) -> None:
    make_device(people.patient_user)
    row, dying, next_one = one(people), RecordingSender(before=kill), RecordingSender()
    with pytest.raises(Killed):
        deliver(dying)
    assert attempts(row) == []
    assert deliver(next_one, at=NOON + LEASE - timedelta(milliseconds=1)).claimed == 0
    assert deliver(next_one, at=NOON + LEASE).accepted == 1
    row.refresh_from_db()
    assert (row.outcome, row.attempts, row.unreturned_claims) == ("accepted", 2, 0)
    assert dying.sent[0].collapse_id == next_one.sent[0].collapse_id


def test_a_sender_that_has_been_overtaken_changes_nothing_but_the_ledger(people: People) -> None:
    make_device(people.patient_user)
    row = one(people)

    def be_overtaken() -> None:
        quick = RecordingSender(answer=always(Outcome.ACCEPTED, provider_id="quick"))
        in_threads(1, lambda: deliver(quick, at=NOON + LEASE))

    slow = RecordingSender(answer=always(Outcome.UNKNOWN), before=be_overtaken)
    report = deliver(slow)
    row.refresh_from_db()
    assert report.settled == 0
    assert (row.outcome, row.settled_at, row.lease_token) == ("accepted", NOON + LEASE, None)
    assert attempts(row) == [("accepted", 2), ("unknown", 1)]


def test_a_late_acceptance_does_not_take_the_lease_from_another(people: People) -> None:
    make_device(people.patient_user)
    row = one(people)
    others: list[object] = []

    def be_overtaken() -> None:
        in_threads(
            1,
            lambda: others.append(
                claim(lane=Lane.ALL, suspects=False, limit=1, now=NOON + LEASE).token
            ),
        )

    deliver(RecordingSender(before=be_overtaken))
    row.refresh_from_db()
    assert (row.outcome, [row.lease_token]) == ("", others)
    sender = RecordingSender()
    deliver(sender, at=NOON + 2 * LEASE)
    row.refresh_from_db()
    # The ledger knows that the phone has it: nothing is sent again.
    assert (row.outcome, sender.sent) == ("accepted", [])


def test_what_is_cancelled_while_it_is_leased_is_not_sent(people: People) -> None:
    make_device(people.patient_user)
    row, sender = one(people), RecordingSender()
    claim(lane=Lane.ALL, suspects=False, limit=1, now=NOON)
    assert cancel_pending(subject=row.subject, now=NOON) == 1
    row.refresh_from_db()
    assert (row.outcome, row.cancelled_at) == ("", NOON)
    deliver(sender, at=NOON + LEASE)
    row.refresh_from_db()
    assert (row.outcome, row.cancelled_at, sender.sent) == ("cancelled", NOON, [])


def between_claim_and_send(monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> None:
    """Runs `change` at the one place where nothing may be taken for granted any more."""

    def claim_and_change(**values: Any) -> Any:
        batch = claim(**values)
        if batch.ids:
            change()
        return batch

    monkeypatch.setattr(delivering, "claim", claim_and_change)


def test_what_is_cancelled_between_claim_and_send_is_not_sent(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_device(people.patient_user)
    row, sender = one(people), RecordingSender()
    between_claim_and_send(monkeypatch, lambda: cancel_pending(subject=row.subject, now=NOON))
    deliver(sender)
    row.refresh_from_db()
    assert (row.outcome, sender.sent) == ("cancelled", [])


def test_a_phone_unbound_between_claim_and_send_gets_nothing(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_device(people.patient_user)
    one(people)
    sender = RecordingSender()
    phones = Device.objects.all()
    between_claim_and_send(
        monkeypatch, lambda: phones.update(unbound_at=NOON, unbound_reason="signed_out")
    )
    deliver(sender)
    assert sender.sent == []


def test_cancelling_after_the_send_leaves_the_truth_in_place(people: People) -> None:
    make_device(people.patient_user)
    row = one(people)

    def cancel() -> None:
        in_threads(1, lambda: cancel_pending(subject=row.subject, now=NOON))

    deliver(RecordingSender(before=cancel))
    row.refresh_from_db()
    assert (row.outcome, row.cancelled_at) == ("accepted", NOON)


def test_an_unknown_outcome_of_a_cancelled_message_is_not_repeated(people: People) -> None:
    make_device(people.patient_user)
    row = one(people)

    def cancel() -> None:
        in_threads(1, lambda: cancel_pending(subject=row.subject, now=NOON))

    sender = RecordingSender(answer=always(Outcome.UNKNOWN), before=cancel)
    deliver(sender)
    deliver(sender, at=NOON + timedelta(seconds=5))
    row.refresh_from_db()
    assert (row.outcome, len(sender.sent)) == ("cancelled", 1)


def test_cancelling_settles_what_a_dead_sender_left_and_keeps_it_out(people: People) -> None:
    make_device(people.patient_user)
    row = one(people)

    def cancel_much_later() -> None:
        in_threads(1, lambda: cancel_pending(subject=row.subject, now=NOON + LEASE))

    deliver(RecordingSender(before=cancel_much_later))
    row.refresh_from_db()
    assert (row.outcome, row.lease_token) == ("cancelled", None)


def test_a_row_that_kills_its_senders_ends_dead_with_one_word_to_the_operator(
    people: People, caplog: pytest.LogCaptureFixture
) -> None:
    make_device(people.patient_user)
    row = one(people, expires_at=NOON + timedelta(days=1))
    sender, at = RecordingSender(before=kill), NOON
    for _ in range(MOST_UNRETURNED_CLAIMS):
        with pytest.raises(Killed):
            deliver(sender, at=at)
        at += LEASE
    for _ in range(3):
        deliver(sender, at=at)
        at += LEASE
    row.refresh_from_db()
    assert (row.outcome, len(sender.sent)) == ("dead", MOST_UNRETURNED_CLAIMS)
    told = [one for one in caplog.records if "notification_dead" in str(one.msg)]
    assert len(told) == 1


def test_it_does_not_take_its_neighbours_with_it(people: People) -> None:
    make_device(people.patient_user)
    poison = one(people, expires_at=NOON + timedelta(days=1))
    rows = [one(people, expires_at=NOON + timedelta(days=1)) for _ in range(9)]

    class Poisoned(RecordingSender):
        def send(self, messages: Any, *, now: Any) -> list[SendResult]:
            if poison.pk in {message.notification_id for message in messages}:
                raise Killed
            return super().send(messages, now=now)

    sender, at = Poisoned(), NOON
    for _ in range(MOST_UNRETURNED_CLAIMS + len(rows) + 1):
        with contextlib.suppress(Killed):
            deliver(sender, at=at)
        at += LEASE
    assert set(sender.counts) == {row.pk for row in rows}
    assert set(sender.counts.values()) == {1}
    poison.refresh_from_db()
    assert poison.outcome == "dead"
    assert Notification.objects.filter(outcome="accepted").count() == len(rows)


def test_new_messages_do_not_wait_behind_suspects(people: People) -> None:
    make_device(people.patient_user)
    suspects = [one(people) for _ in range(5)]
    keys = [row.pk for row in suspects]
    Notification.objects.filter(pk__in=keys).update(unreturned_claims=SUSPECT_AFTER)
    fresh = [one(people) for _ in range(5)]
    sender = RecordingSender()
    deliver(sender)
    assert {row.pk for row in fresh} < set(sender.counts)
    assert len(sender.sent) == 6


def test_a_bad_hour_of_the_provider_is_no_reason_to_give_up(people: People) -> None:
    make_device(people.patient_user)
    row = one(people)
    sender, at = RecordingSender(answer=always(Outcome.UNKNOWN)), NOON
    for _ in range(3 * MOST_UNRETURNED_CLAIMS):
        deliver(sender, at=at)
        at += timedelta(seconds=2)
    row.refresh_from_db()
    assert (row.outcome, len(sender.sent)) == ("", 3 * MOST_UNRETURNED_CLAIMS)
