"""Sweepers, administrators and shifts at the same moment: each effect once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

from django.db import connection

from backend.aftercare.models import AlertAct, EscalationLadder, OnCallShift
from backend.aftercare.services import escalate_due
from backend.notifications.models import Notification
from tests.acting import carried
from tests.aftercare.reporting import NOON, report
from tests.matrix.ladders import ladder_body, shift_body
from tests.people import People, make_device
from tests.phones import Phone


def at_once(count: int, run: Callable[[], Any]) -> None:
    barrier = threading.Barrier(count)

    def one() -> None:
        barrier.wait()
        run()
        connection.close()

    threads = [threading.Thread(target=carried(one)) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_eight_sweepers_take_each_rung_of_an_own_ladder_once(committed_db: None, people: People):
    for clinician in (people.therapist, people.on_call, people.supervisor):
        make_device(clinician.user)
    EscalationLadder.objects.create(
        organisation=people.organisation,
        version=1,
        rungs=[
            {"who": who, "silent": {"critical": 5, "high": 20}, "ways": [], "clinician_ids": [],
             "user_ids": []}
            for who in ("therapist", "on_call", "clinical_supervisor")
        ],
        reason="Sooner than the standard.",
        decided_by="Ada",
        review_on=(NOON + timedelta(days=60)).date(),
        changed_by=people.administrator.user,
        changed_at=NOON,
    )  # fmt: skip
    OnCallShift.objects.create(
        organisation=people.organisation,
        clinician=people.on_call,
        starts_at=NOON,
        ends_at=NOON + timedelta(days=1),
        created_at=NOON,
    )
    report(people, craving=9)
    for step in (1, 2, 3):
        at_once(8, partial(escalate_due, now=NOON + step * timedelta(minutes=20)))
    rows = Notification.objects.filter(kind="alert").order_by("created_at", "key")
    told = [row.recipient.clinician.display_name for row in rows]
    assert told == ["Bob", "Dana", "Sam", "Sam"]
    assert AlertAct.objects.filter(kind="escalated").count() == 2
    assert AlertAct.objects.filter(kind="exhausted").count() == 1
    assert Notification.objects.filter(text_id="message.nobody_reached").count() == 1


def test_two_ladders_of_one_version_are_one_and_a_conflict(committed_db: None, people: People):
    phone = Phone.of(people.administrator.user)
    answers: list[int] = []

    def put() -> None:
        body = {**ladder_body(), "reason": f"Reason {uuid4()}"}
        office = Phone(token=phone.token)
        answered = office.request("PUT", "/escalation-ladder", body, **{"If-Match": "0"})
        answers.append(answered.status_code)

    at_once(6, put)
    assert sorted(answers) == [200, 409, 409, 409, 409, 409]
    assert EscalationLadder.objects.count() == 1


def test_the_same_shift_at_once_is_one(committed_db: None, people: People):
    phone = Phone.of(people.administrator.user)
    body, answers = shift_body(people.on_call.pk), []

    def post() -> None:
        answers.append(Phone(token=phone.token).post("/on-call-shifts", body).status_code)

    at_once(6, post)
    assert sorted(answers) == [200, 200, 200, 200, 200, 201]
    assert OnCallShift.objects.count() == 1
