"""The sweep over everyone: silences become one flag, and new rules judge old days again."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import numpy as np
import pytest
from django.db import connections

from backend.accounts.actor import Actor
from backend.aftercare.explanations import explain_reasons
from backend.aftercare.models import Alert
from backend.aftercare.services import assess_due, sweep_due
from backend.aftercare.services.sweeping import sweep_range
from backend.notifications.models import Notification
from backend.tracking.adopted_limits import adopt_limits
from backend.tracking.models import Assessment, SweepRange
from backend.tracking.sweeping import (
    RANGES,
    answered_until,
    claim_range,
    ends_of,
    finish_range,
    given_in,
)
from backend.tracking.trends import shipped_limits
from backend.tracking.windows import Windows, latest_days, load_windows
from tests.acting import carried
from tests.aftercare.reporting import report
from tests.aftercare.test_worsening import steady
from tests.people import People, make_device

START = date(2025, 12, 1)
EVERYONE = (ends_of(0)[0], ends_of(RANGES - 1)[1])


def at(day: int, hour: int = 22) -> datetime:
    return datetime.combine(START + timedelta(days=day), time(hour), tzinfo=UTC)


def answer_daily(people: People, days: int) -> None:
    for day, items in enumerate(steady(days)):
        report(people, now=at(day), **items)
    assess_due(now=at(days - 1, 23))


def sweep(day: int) -> None:
    sweep_range(*EVERYONE, now=at(day, 14))


def test_a_silence_that_is_long_for_this_person_is_one_flag(people: People) -> None:
    make_device(people.therapist.user)
    answer_daily(people, 40)
    opened = []
    for day in range(40, 50):
        sweep(day)
        opened.append(Alert.objects.count())
    assert (opened[0], opened[-1]) == (0, 1)
    alert = Alert.objects.get()
    assert (alert.condition, alert.severity, alert.status) == ("absence", "medium", "open")
    assert (alert.first_on, alert.last_on) == (at(40).date(), at(48).date())
    assert Notification.objects.filter(kind="alert").count() == 1
    for language, sentence in (("en", "No check-in for 9 days."), ("es", "Sin registros")):
        (said,) = explain_reasons(alert.reasons, language=language, today=alert.last_on)
        assert said.startswith(sentence)


def test_who_often_skips_is_not_missed_so_soon(people: People) -> None:
    for day in range(0, 40, 2):
        report(people, now=at(day), mood=6)
    for day in range(40, 46):
        sweep(day)
    assert not Alert.objects.exists()


def test_an_answer_closes_it_and_a_new_silence_re_opens_it(people: People) -> None:
    answer_daily(people, 40)
    for day in range(40, 48):
        sweep(day)
    report(people, now=at(48), mood=6)
    assess_due(now=at(48, 23))
    alert = Alert.objects.get()
    assert (alert.status, alert.outcome) == ("resolved", "recovered")
    for day in range(49, 60):
        sweep(day)
    again = Alert.objects.get()
    assert (again.pk, again.status, again.round) == (alert.pk, "open", 2)


def test_who_is_gone_for_good_stays_on_the_list(people: People) -> None:
    answer_daily(people, 40)
    for day in range(40, 130, 3):
        sweep(day)
    assert Alert.objects.get().status == "open"


def test_who_left_care_is_not_missed(people: People) -> None:
    answer_daily(people, 40)
    people.patient.discharged_at = at(41)
    people.patient.save()
    for day in range(42, 50):
        sweep(day)
    assert not Alert.objects.exists()


def test_nothing_new_stores_nothing(people: People) -> None:
    answer_daily(people, 30)
    sweep(30)
    assert Assessment.objects.count() == 1


def test_new_limits_judge_everyone_again_and_say_so(people: People) -> None:
    answer_daily(people, 40)
    limits = shipped_limits()
    adopt_limits(
        actor=Actor.system("test"),
        organisation_id=people.organisation.pk,
        document={
            "provenance": {},
            "loads": limits.loads.tolist(),
            "by_signals": (limits.by_signals + 0.5).tolist(),
        },
        adopted_by="Sam",
        reason="Fitted on our own.",
        review_on=date(2026, 12, 1),
        now=at(40),
    )
    sweep(40)
    before, after = Assessment.objects.order_by("assessed_at")
    assert before.ruleset == "trends-3"
    assert after.ruleset.startswith("trends-3+")
    assert after.facts["limits"]["flag"] == pytest.approx(before.facts["limits"]["flag"] + 0.5)
    sweep(41)
    assert Assessment.objects.count() == 2


def test_ranges_are_everyone_once(people: People) -> None:
    ends = [ends_of(number) for number in range(RANGES)]
    assert (ends[0][0].int, ends[-1][1].int) == (0, 2**128 - 1)
    assert all(b[0].int - a[1].int == 1 for a, b in pairwise(ends))
    for patient in (people.patient, people.other_patient):
        assert sum(first <= patient.pk <= last for first, last in ends) == 1


def test_a_range_is_taken_up_once_and_is_due_again_later(people: People) -> None:
    now = at(0)
    taken = [claim_range(now=now) for _ in range(RANGES + 1)]
    assert set(taken[:-1]) == set(range(RANGES))
    assert taken[-1] is None
    for number in range(RANGES):
        finish_range(number, now=now)
    assert claim_range(now=now + timedelta(hours=5)) is None
    assert claim_range(now=now + timedelta(hours=7)) is not None


def test_one_that_a_worker_died_with_is_taken_up_by_another(people: People) -> None:
    for _ in range(RANGES):
        claim_range(now=at(0))
    assert claim_range(now=at(0) + timedelta(minutes=6)) is not None


def test_a_turn_sweeps_whatever_is_due(people: People) -> None:
    assert sweep_due(now=at(0)) == RANGES
    assert sweep_due(now=at(0)) == 0
    assert SweepRange.objects.count() == RANGES


def test_two_workers_share_the_ranges(committed_db: None, people: People) -> None:
    counts: list[int] = []

    def work() -> None:
        try:
            counts.append(sweep_due(now=at(0)))
        finally:
            connections.close_all()

    workers = [threading.Thread(target=carried(work)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(counts) == RANGES


def test_days_answered_are_what_a_plain_loop_finds(people: People) -> None:
    rng = np.random.default_rng(5)
    for ago in range(60):
        if rng.uniform() < 0.6:
            report(people, now=at(59 - ago), mood=6)
    windows = load_windows(latest_days([people.patient.pk]))
    given = set(_days(windows))
    for ahead in (-1, 0, 1, 5, 30, 200):
        until = windows.as_of[0] + timedelta(days=ahead)
        found = answered_until(given_in(windows), [ahead])[0]
        expected = [until - timedelta(days=89 - place) in given for place in range(90)]
        if ahead < 0:
            expected[-1] = True
            expected[:-ahead] = found[:-ahead].tolist()
        assert found.tolist() == expected, ahead


def _days(windows: Windows) -> list[date]:
    values = windows.raw["mood"][0]
    last = windows.as_of[0]
    return [
        last - timedelta(days=len(values) - 1 - place)
        for place in range(len(values))
        if not np.isnan(values[place])
    ]
