"""The acute rules, each at its edge: it fires here, and not one step before."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.aftercare.decision_rules import (
    AcuteFacts,
    Match,
    RecentFacts,
    Rule,
    Severity,
    Thresholds,
    always_pages,
    is_late,
    match_acute_rules,
)

ON = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 20, tzinfo=UTC)
CALM = AcuteFacts(mood=6, craving=3, confidence=7, sleep_hours=7.5)
NOTHING_RECENT = RecentFacts()


def matched(facts: AcuteFacts, recent: RecentFacts = NOTHING_RECENT) -> dict[str, str]:
    matches = match_acute_rules(facts, recent, on=ON)
    return {match.rule.value: match.severity.value for match in matches}


def test_a_calm_check_in_matches_nothing():
    assert matched(CALM) == {}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (AcuteFacts(not_safe=True), {"not_safe": "critical"}),
        (AcuteFacts(craving=8), {"craving": "high"}),
        (AcuteFacts(craving=7), {}),
        (AcuteFacts(mood=1), {"low_mood": "high"}),
        (AcuteFacts(mood=0), {"low_mood": "high"}),
        (AcuteFacts(mood=2), {}),
        (AcuteFacts(confidence=3), {"confidence": "medium"}),
        (AcuteFacts(confidence=4), {}),
        (AcuteFacts(sleep_hours=3.75), {}),
        (AcuteFacts(withdrawal_reported=True), {"withdrawal": "high"}),
        (
            AcuteFacts(withdrawal_symptoms=frozenset({"sweating"})),
            {"withdrawal": "high"},
        ),
        (
            AcuteFacts(withdrawal_symptoms=frozenset({"seizure"})),
            {"withdrawal_dangerous": "critical"},
        ),
        (
            AcuteFacts(withdrawal_reported=True, withdrawal_substances=frozenset({"alcohol"})),
            {"withdrawal_dangerous": "critical"},
        ),
        (
            AcuteFacts(withdrawal_reported=True, withdrawal_substances=frozenset({"opioids"})),
            {"withdrawal": "high"},
        ),
        (AcuteFacts(use_reported=True), {"use_reported": "high"}),
    ],
)
def test_each_rule_at_its_edge(facts: AcuteFacts, expected: dict[str, str]):
    assert matched(facts) == expected


@pytest.mark.parametrize(("nearby", "expected"), [((2,), {"low_mood": "high"}), ((3,), {})])
def test_low_mood_two_days_running_whichever_arrives_first(nearby, expected):
    assert matched(AcuteFacts(mood=2), RecentFacts(nearby_moods=nearby)) == expected


@pytest.mark.parametrize(
    ("nearby", "expected"), [((3.75,), {"short_sleep": "medium"}), ((4.0,), {}), ((), {})]
)
def test_short_sleep_needs_two_nights(nearby, expected):
    recent = RecentFacts(nearby_sleep_hours=nearby)
    assert matched(AcuteFacts(sleep_hours=3.5), recent) == expected


@pytest.mark.parametrize(("days", "severity"), [(6, "medium"), (7, "high"), (90, "high")])
def test_use_after_an_abstinent_run_asks_for_a_follow_up_today(days, severity):
    recent = RecentFacts(last_use_on=ON - timedelta(days=days))
    assert matched(AcuteFacts(use_reported=True), recent) == {"use_reported": severity}


def test_the_most_severe_match_comes_first():
    facts = AcuteFacts(not_safe=True, craving=9, confidence=2)
    order = [match.rule for match in match_acute_rules(facts, NOTHING_RECENT, on=ON)]
    assert order == [Rule.NOT_SAFE, Rule.CRAVING, Rule.CONFIDENCE]


def test_thresholds_can_be_changed_for_the_defaults_but_not_for_the_fixed_rules():
    strict = Thresholds(craving=5)
    found = match_acute_rules(AcuteFacts(craving=5), NOTHING_RECENT, on=ON, thresholds=strict)
    assert [match.rule for match in found] == [Rule.CRAVING]
    assert not hasattr(strict, "not_safe")


@given(
    st.builds(
        AcuteFacts,
        mood=st.none() | st.integers(0, 10),
        craving=st.none() | st.integers(0, 10),
        confidence=st.none() | st.integers(0, 10),
        use_reported=st.booleans(),
        withdrawal_reported=st.booleans(),
    )
)
def test_not_safe_is_never_drowned_by_anything_else(facts: AcuteFacts):
    first = match_acute_rules(replace(facts, not_safe=True), NOTHING_RECENT, on=ON)[0]
    assert (first.rule, first.severity) == (Rule.NOT_SAFE, Severity.CRITICAL)


def late(recorded: timedelta, *, on: date = ON, enrolled: timedelta | None = None) -> bool:
    enrolled_at = None if enrolled is None else NOW + enrolled
    return is_late(recorded_at=NOW + recorded, received_at=NOW, on=on, enrolled_at=enrolled_at)


@pytest.mark.parametrize(
    ("recorded", "expected"),
    [
        (timedelta(0), False),
        (timedelta(hours=-24), False),
        (timedelta(hours=-24, seconds=-1), True),
        (timedelta(days=-40), True),
    ],
)
def test_late_means_more_than_a_day_between_writing_and_arriving(recorded, expected):
    assert late(recorded, on=(NOW + recorded).date()) is expected


def test_a_clock_that_cannot_be_right_counts_as_now():
    assert not late(timedelta(hours=3))
    assert not late(timedelta(days=-4000), enrolled=timedelta(days=-30))
    assert late(timedelta(days=-20), on=ON - timedelta(days=20), enrolled=timedelta(days=-30))


def test_a_day_long_past_written_now_is_late():
    assert late(timedelta(0), on=ON - timedelta(days=10))
    assert not late(timedelta(0), on=ON - timedelta(days=1))


def test_only_not_safe_runs_the_ladder_at_any_hour():
    assert always_pages((Match(Rule.NOT_SAFE, Severity.CRITICAL),))
    assert not always_pages((Match(Rule.CRAVING, Severity.HIGH),))
