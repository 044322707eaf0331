"""A replay says of the past what was said then, and touches nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend import errors
from backend.accounts.models import AuditEvent
from backend.aftercare.decision_rules import Match, Rule, Severity, Thresholds
from backend.aftercare.episodes import Day
from backend.aftercare.models import Alert, Nudge
from backend.aftercare.replaying import Happening, LivedDay, Load, RuleSet, replay, totals
from backend.aftercare.services import assess_due, replay_caseload, replay_patient
from backend.aftercare.services.alerts import choose_condition
from backend.aftercare.services.sweeping import sweep_range
from backend.notifications.models import Notification
from backend.tracking.models import Assessment, AssessmentRequest, CheckIn
from backend.tracking.sweeping import RANGES, ends_of
from tests.aftercare.reporting import report
from tests.aftercare.test_worsening import declining, steady
from tests.people import People, actor_for, make_device
from tests.phones import Phone

START = date(2025, 12, 1)
FIRST = ends_of(0)[0]
LAST = ends_of(RANGES - 1)[1]


def at(day: int, hour: int = 22) -> datetime:
    return datetime.combine(START + timedelta(days=day), time(hour), tzinfo=UTC)


def live(people: People, days: list[dict[str, Any] | None]) -> datetime:
    """Each day as it was: the check-in and its evaluation in the evening, the sweep at night."""
    for day, items in enumerate(days):
        sweep_range(FIRST, LAST, now=at(day, 8))
        if items is not None:
            report(people, now=at(day), **items)
            assess_due(now=at(day) + timedelta(seconds=1))
    return at(len(days) - 1) + timedelta(seconds=2)


def run(people: People, now: datetime, rules: RuleSet | None = None, days: int = 90) -> Any:
    return replay_patient(
        actor=actor_for(people.therapist.user),
        patient_id=people.patient.pk,
        rules=rules or RuleSet(),
        days=days,
        now=now,
    )


def said(found: Any, load: Load) -> list[tuple[date, str]]:
    return [(each.on, each.reason) for each in found.said if each.load is load]


def eventful() -> list[dict[str, Any] | None]:
    days: list[dict[str, Any] | None] = [*steady(45), *declining(14), *[None] * 8, *steady(10)]
    days[20] = {"mood": 6, "craving": 9}
    days[21] = {"mood": 6, "craving": 8}
    days[33] = {"mood": 6, "confidence": 2}
    days[38] = {"mood": 6, "use_reported": True, "use_substances": ["alcohol"]}
    return days


def test_the_rules_of_today_say_what_was_said_at_the_time(people: People) -> None:
    make_device(people.patient_user)
    now = live(people, eventful())
    found = run(people, now)
    opened = {
        (alert.condition, alert.opened_at.date())
        for alert in Alert.objects.filter(condition__in=("craving", "use", "confidence"))
    }
    acute = {(reason, on) for on, reason in said(found, Load.ACUTE)}
    assert opened <= acute
    worsening = Alert.objects.get(condition="worsening")
    # A silence is noticed on the morning after its last day.
    absent = Alert.objects.get(condition="absence")
    flags = said(found, Load.FLAG)
    assert flags == [
        (worsening.opened_at.date(), "worsening"),
        (absent.opened_at.date() - timedelta(days=1), "absence"),
    ]
    # Nobody closed the acute alerts at the time, which held the other nudge back.
    sent = [(nudge.local_date, nudge.kind) for nudge in Nudge.objects.filter(was_sent=True)]
    nudges = said(found, Load.NUDGE)
    assert [kind for _on, kind in sent] == ["confidence"]
    assert set(sent) <= set(nudges)
    assert {kind for _on, kind in nudges} == {"worsening", "confidence"}


def test_it_touches_nothing_and_is_audited(people: People) -> None:
    now = live(people, eventful())
    tables = (Alert, Nudge, Assessment, AssessmentRequest, Notification, CheckIn)
    before = [list(table.objects.order_by("pk").values()) for table in tables]
    run(people, now, RuleSet(flags_per_month=2, nudges_per_month=4))
    assert [list(table.objects.order_by("pk").values()) for table in tables] == before
    assert AuditEvent.objects.filter(action="replay.read").count() == 1


def test_a_later_day_changes_nothing_of_an_earlier_one(people: People) -> None:
    days = eventful()
    now = live(people, days[:55])
    before = run(people, now).said
    rest = live_rest(people, days, 55)
    after = [each for each in run(people, rest).said if each.on < START + timedelta(days=54)]
    assert after == [each for each in before if each.on < START + timedelta(days=54)]


def live_rest(people: People, days: list[dict[str, Any] | None], start: int) -> datetime:
    for day, items in enumerate(days[start:], start):
        if items is not None:
            report(people, now=at(day), **items)
    return at(len(days) - 1) + timedelta(seconds=2)


def test_a_lower_threshold_says_more(people: People) -> None:
    days = [{"mood": 6, "craving": 7 if day % 10 == 0 else 3} for day in range(60)]
    for day, items in enumerate(days):
        report(people, now=at(day), **items)
    now = at(len(days))
    assert said(run(people, now), Load.ACUTE) == []
    tried = run(people, now, RuleSet(thresholds=Thresholds(craving=7)))
    assert [on for on, _reason in said(tried, Load.ACUTE)] == [
        START + timedelta(days=day) for day in range(0, 60, 10)
    ]
    (total,) = tried.totals
    assert (total.reason, total.count) == ("craving", 6)
    assert total.per_month == pytest.approx(6 * 30 / tried.patient_days, abs=1e-4)


def test_of_nobody_elses_patient_it_says_nothing(people: People) -> None:
    with pytest.raises(errors.NotFound):
        replay_patient(
            actor=actor_for(people.stranger.user),
            patient_id=people.patient.pk,
            rules=RuleSet(),
            now=at(0),
        )


def test_a_caseload_is_the_sum_of_its_patients(people: People) -> None:
    now = live(people, eventful())
    whole = replay_caseload(actor=actor_for(people.therapist.user), rules=RuleSet(), now=now)
    assert whole.people == 1
    assert whole.totals == run(people, now).totals
    nothing = replay_caseload(actor=actor_for(people.stranger.user), rules=RuleSet(), now=now)
    assert (nothing.people, nothing.totals) == (0, [])


def test_the_number_of_queries_does_not_grow_with_the_days(people: People) -> None:
    now = live(people, eventful())
    counts = []
    for days in (14, 90):
        with CaptureQueriesContext(connection) as queries:
            run(people, now, days=days)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 12


# The walk, without any database. ------------------------------------------------------------------


def lived(**marks: str) -> list[LivedDay]:
    """One day a letter: trend F n - or . (no check-in), absent a letter x."""
    trend, absent = marks["trend"], marks.get("absent", "." * len(marks["trend"]))
    found, answered = [], None
    for index, (mark, gone) in enumerate(zip(trend, absent, strict=True)):
        on = START + timedelta(days=index)
        answered = on if mark != "." else answered
        day = None if mark == "." else Day(on, mark == "F", mark in "Fn")
        found.append(LivedDay(on, day, answered_on=answered, is_absent=gone == "x"))
    return found


def walk(days: list[LivedDay]) -> list[tuple[int, str, bool]]:
    return [
        ((each.on - START).days, each.reason, each.renews)
        for each in replay(days, choose=choose_condition)
        if each.load is Load.FLAG
    ]


def test_a_decline_that_lasts_is_one_flag() -> None:
    assert walk(lived(trend="-F" + "nF-" * 15)) == [(1, "worsening", False)]


def test_one_that_comes_back_is_said_to() -> None:
    assert walk(lived(trend="F" + "-" * 8 + "F")) == [
        (0, "worsening", False),
        (9, "worsening", True),
    ]
    assert walk(lived(trend="F" + "-" * 25 + "F"))[1] == (26, "worsening", False)


def test_a_silence_is_one_flag_until_an_answer() -> None:
    days = lived(trend="--.......-......", absent="....xxxxx.....xx")
    assert walk(days) == [(4, "absence", False), (14, "absence", True)]


def test_at_most_one_flag_in_seven_days() -> None:
    assert walk(lived(trend="F......--", absent="...xxxx..")) == [(0, "worsening", False)]


def test_acute_evidence_within_a_week_is_the_same_alert() -> None:
    match = (Match(Rule.CRAVING, Severity.HIGH),)
    days = [
        LivedDay(START + timedelta(days=day), None, acute=(match,) if day in (0, 5, 20) else ())
        for day in range(21)
    ]
    assert [each.renews for each in replay(days, choose=choose_condition)] == [False, True, False]


def test_totals_are_per_patient_month() -> None:
    happenings = [Happening(START, Load.NUDGE, "worsening", Severity.MEDIUM)] * 3
    (total,) = totals(happenings, patient_days=180)
    assert (total.count, total.per_month) == (3, 0.5)


# The API. -----------------------------------------------------------------------------------------


def test_a_clinician_tries_a_rule_set(people: People) -> None:
    rng = np.random.default_rng(3)
    now = datetime.now(UTC)
    for ago in range(60, 0, -1):
        day = now - timedelta(days=ago)
        report(people, now=day, mood=6, craving=int(rng.integers(2, 5)) + 3 * (ago % 20 == 0))
    therapist = Phone.of(people.therapist.user)
    answer = therapist.get(f"/patients/{people.patient.pk}/replay?craving=5&days=70").json()
    assert answer["patient_days"] == 70
    acute = [total for total in answer["totals"] if total["load"] == "acute"]
    assert acute[0]["reason"] == "craving"
    assert sum(total["count"] for total in acute) == len(
        [day for day in answer["days"] if day["load"] == "acute"]
    )
    assert [total for total in answer["as_now"] if total["load"] == "acute"] == []


@pytest.mark.parametrize("query", ["craving=11", "days=0", "flags_per_month=0", "wish=1", "mood=x"])
def test_what_cannot_be_tried_is_refused(people: People, query: str) -> None:
    answer = Phone.of(people.therapist.user).get(f"/patients/{people.patient.pk}/replay?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_rules")


def test_a_caseload_answers_with_figures_and_names_nobody(people: People) -> None:
    answer = Phone.of(people.therapist.user).get("/replay")
    assert answer.status_code == 200
    assert (answer.json()["people"], answer.json()["days"]) == (1, [])
    assert str(people.patient.pk) not in answer.content.decode()
