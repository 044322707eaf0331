from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from django.db import connections, transaction
from pytest_django import DjangoCaptureOnCommitCallbacks

from backend.notifications.models import Notification
from backend.notifications.selectors import database_now
from backend.notifications.services import NotificationDraft, cancel_pending, queue_notifications
from tests.acting import carried
from tests.notifications.outbox import NOON, draft, queue
from tests.people import People


def test_a_clock_that_is_ahead_does_not_delay_what_is_due_at_once(people: People) -> None:
    ahead = datetime.now(UTC) + timedelta(hours=1)
    at_once = draft(people.patient, people.patient_user, now=ahead)
    later = draft(people.patient, people.patient_user, now=ahead, due_at=ahead + timedelta(1))
    rows = queue(at_once, later, now=ahead)
    assert rows[0].due_at <= database_now()
    assert rows[1].due_at == later.due_at


def test_what_is_queued_is_stored_as_it_was_decided(people: People) -> None:
    one = draft(people.patient, people.patient_user, text_facts={"severity": "high"})
    (row,) = queue(one)
    for name in one.__slots__:
        assert getattr(row, name) == getattr(one, name), name
    assert (row.created_at, row.attempts, row.outcome, row.settled_at) == (NOON, 0, "", None)


def test_the_same_decision_twice_is_one_message(people: People) -> None:
    one = draft(people.patient, people.patient_user, key="same", text_id="first")
    two = draft(people.patient, people.patient_user, key="same", text_id="second")
    assert queue_notifications(drafts=[one], now=NOON) == 1
    assert queue_notifications(drafts=[two], now=NOON) == 0
    assert Notification.objects.get().text_id == "first"


def test_only_the_new_ones_are_counted(people: People) -> None:
    drafts = [draft(people.patient, people.patient_user, key=f"k{n}") for n in range(3)]
    queue(drafts[1])
    assert queue_notifications(drafts=drafts, now=NOON) == 2
    assert queue_notifications(drafts=[], now=NOON) == 0


def test_a_settled_message_is_not_queued_again(people: People) -> None:
    one = draft(people.patient, people.patient_user)
    queue(one)
    cancel_pending(subject=one.subject, now=NOON)
    assert queue_notifications(drafts=[one], now=NOON) == 0
    assert Notification.objects.get().outcome == "cancelled"


def test_delivery_is_woken_on_commit_for_what_is_new_and_due(
    people: People, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    one = draft(people.patient, people.patient_user)
    later = draft(people.patient, people.patient_user, due_at=NOON + timedelta(seconds=1))
    for drafts, woken in (([later], 0), ([one, later], 1), ([one], 0)):
        with django_capture_on_commit_callbacks() as callbacks:
            queue_notifications(drafts=drafts, now=NOON)
        assert len(callbacks) == woken


def test_nothing_is_queued_when_the_decision_rolls_back(people: People) -> None:
    with transaction.atomic():
        queue(draft(people.patient, people.patient_user))
        transaction.set_rollback(True)
    assert not Notification.objects.exists()


def test_cancelling_takes_back_the_subject_and_nothing_else(people: People) -> None:
    mine = draft(people.patient, people.patient_user, subject="alert:1")
    theirs = draft(people.patient, people.therapist.user, subject="alert:1")
    other = draft(people.patient, people.patient_user, subject="alert:2")
    rows = queue(mine, theirs, other)
    assert cancel_pending(subject="alert:1", now=NOON) == 2
    assert cancel_pending(subject="alert:1", now=NOON) == 0
    for row in rows:
        row.refresh_from_db()
    assert [row.outcome for row in rows] == ["cancelled", "cancelled", ""]
    assert [row.cancelled_at for row in rows] == [NOON, NOON, None]


def test_cancelling_may_name_the_recipients(people: People) -> None:
    mine = draft(people.patient, people.patient_user, subject="alert:1")
    theirs = draft(people.patient, people.therapist.user, subject="alert:1")
    rows = queue(mine, theirs)
    recipients = [people.therapist.user.pk]
    assert cancel_pending(subject="alert:1", now=NOON, recipient_ids=recipients) == 1
    assert cancel_pending(subject="alert:1", now=NOON, recipient_ids=[]) == 0
    for row in rows:
        row.refresh_from_db()
    assert [row.outcome for row in rows] == ["", "cancelled"]


def test_the_same_keys_in_twenty_threads_are_one_row_each(
    committed_db: None, people: People
) -> None:
    """Half of the threads bring the keys in the opposite order: they must not lock each other."""
    drafts = [draft(people.patient, people.patient_user, key=f"nudge:{n}") for n in range(100)]
    counted: list[int] = []
    start = threading.Barrier(20)

    def store(ordered: list[NotificationDraft]) -> None:
        start.wait()
        try:
            with transaction.atomic():
                counted.append(queue_notifications(drafts=ordered, now=NOON))
        finally:
            connections.close_all()

    orders = [drafts, drafts[::-1]] * 10
    threads = [threading.Thread(target=carried(store), args=(order,)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(counted) == 20
    assert sum(counted) == 100 == Notification.objects.count()
