from __future__ import annotations

import json
from datetime import date

import numpy as np
import pytest

from backend.tracking.trends import (
    SIGNALS,
    Tier,
    Trend,
    WindowAssessment,
    absence,
    assess_window,
    chosen,
    evaluate,
)

from .people import declining, steady

MOOD_AND_CRAVING = chosen(["craving", "mood"])
TODAY = date(2026, 3, 31)


def assessed(badness: np.ndarray, **options: object) -> WindowAssessment:
    raw = {
        signal.name: signal.raw(badness[:, :, column])
        for column, signal in enumerate(MOOD_AND_CRAVING)
    }
    return assess_window(raw, MOOD_AND_CRAVING, **options)  # type: ignore[arg-type]


def test_agrees_with_the_score_of_every_day():
    values = np.concatenate([steady(30, signals=2), declining(30, signals=2)])
    for load, tier in ((1.0, Tier.NUDGE), (0.25, Tier.FLAG)):
        found, whole = assessed(values), evaluate(values, alerts_per_month=load)
        np.testing.assert_allclose(found.readings.score, whole.score[:, -1], atol=1e-8)
        above = whole.score[:, -1] > whole.limit[:, -1]
        improving = found.readings.trend == 0
        np.testing.assert_array_equal(found.above(tier)[~improving], above[~improving])


def test_since_is_the_first_day_of_the_run():
    values = declining(40, signals=2)
    found = assessed(values).readings
    whole = evaluate(values, alerts_per_month=1.0)
    above = whole.score > whole.limit
    for person in np.flatnonzero(found.since_nudge > 0):
        since = found.since_nudge[person]
        assert above[person, 89 - since :].all()
        if since < 20:
            assert not above[person, 89 - since - 1] or np.isnan(values[person, 88 - since]).all()


def test_a_decline_is_worsening_and_its_mirror_improving():
    worse = assessed(declining(50, signals=2))
    better = assessed(10 - declining(50, signals=2))
    assert sum(worse.trend(n) is Trend.WORSENING for n in range(50)) >= 45
    assert sum(better.trend(n) is Trend.IMPROVING for n in range(50)) >= 45
    assert not better.above(Tier.NUDGE).any()


def test_steady_people_are_mostly_steady():
    found = assessed(steady(100, signals=2))
    assert sum(found.trend(n) is Trend.STEADY for n in range(100)) > 70


def test_thin_data_and_a_week_of_silence_are_unknown():
    values = declining(3, signals=2)
    values[0, :75] = np.nan
    values[1, -7:] = np.nan
    values[2, -6:] = np.nan
    values[2, -7] = 6.0
    found = assessed(values)
    assert found.trend(0) is Trend.UNKNOWN
    assert found.trend(1) is Trend.UNKNOWN
    assert found.trend(2) is not Trend.UNKNOWN
    assert not found.above(Tier.NUDGE)[:2].any()


def test_nobody_at_all_is_no_error():
    assert len(assessed(np.zeros((0, 90, 2))).readings.trend) == 0


def test_someone_who_never_answered_is_unknown():
    facts = assessed(np.full((1, 90, 2), np.nan)).facts(0, as_of=TODAY)
    assert facts["trend"] == "unknown"
    assert facts["quiet_days"] == 90
    assert facts["signals"][0]["latest"] is None


def test_chunks_make_no_difference(monkeypatch):
    values = declining(11, signals=2)
    whole = assessed(values).readings
    monkeypatch.setattr("backend.tracking.trends.window.CHUNK_PEOPLE", 4)
    parts = assessed(values).readings
    np.testing.assert_allclose(whole.score, parts.score, atol=1e-8)
    np.testing.assert_array_equal(whole.signals.reason, parts.signals.reason)


def test_re_baselining_forgets_what_was_before():
    values = steady(1, signals=2)
    values[:, :60] = 1.0
    values[:, 60:] = 5.0
    old, new = assessed(values), assessed(values, baseline_from=np.array([60]))
    assert old.readings.signals.base_mean[0, 0] < 4.9
    assert new.readings.signals.base_mean[0, 0] == 5.0
    assert assessed(values, baseline_from=np.array([80])).trend(0) is Trend.UNKNOWN


def test_the_reason_is_the_signal_that_moved():
    values = steady(60, signals=2)
    values[:, :, 1] = declining(60, seed=4)[:, :, 0]
    found = assessed(values)
    flagged = np.flatnonzero(found.above(Tier.FLAG))
    first = [found.facts(int(person), as_of=TODAY)["signals"][0] for person in flagged]
    assert len(first) > 20
    assert all(signal["reason"] for signal in first)
    assert np.mean([signal["signal"] == "craving" for signal in first]) > 0.9


def test_facts_speak_the_scale_the_patient_answered_on():
    values = declining(40, signals=2)
    found = assessed(values)
    person = int(np.nanargmax(found.readings.score))
    facts = json.loads(json.dumps(found.facts(person, as_of=TODAY), allow_nan=False))
    signals = {each["signal"]: each for each in facts["signals"]}
    mood, craving = signals["mood"], signals["craving"]
    assert facts["trend"] == "worsening"
    assert facts["as_of"] == "2026-03-31"
    assert facts["since"]["nudge"] <= "2026-03-31"
    assert mood["worse_is"] == "lower"
    assert mood["change"] < 0 < craving["change"]
    assert mood["slope_per_week"] <= 0 <= craving["slope_per_week"]
    assert mood["slope_per_week"] < 0 or craving["slope_per_week"] > 0
    assert mood["baseline"]["low"] < mood["baseline"]["mean"] < mood["baseline"]["high"]
    today = 89 - facts["quiet_days"]
    own = np.nanmean(values[person, today - 49 : today - 7, 0])
    assert mood["baseline"]["mean"] == pytest.approx(10 - own, abs=0.001)
    assert all("2026-03-10" < day <= "2026-03-31" for day in craving["days"])
    assert craving["days"] == sorted(craving["days"])


def test_steady_facts_name_no_reason_and_no_beginning():
    found = assessed(steady(30, signals=2))
    for person in range(30):
        if found.trend(person) is Trend.STEADY:
            facts = found.facts(person, as_of=TODAY)
            assert facts["began_on"] is None
            assert facts["since"] == {"nudge": None, "flag": None}
            assert not any(each["reason"] or each["days"] for each in facts["signals"])


def test_badness_turns_every_signal_so_that_larger_is_worse():
    best = {"mood": 10, "craving": 0, "sleep_hours": 10, "exercise_minutes": 60, "confidence": 10}
    worst = {"mood": 0, "craving": 10, "sleep_hours": 0, "exercise_minutes": 0, "confidence": 0}
    for signal in SIGNALS:
        assert signal.badness(np.array([best[signal.name], worst[signal.name]])).tolist() == [0, 10]
        assert signal.raw(signal.badness(np.array([3.0])))[0] == pytest.approx(3.0)
        assert np.isnan(signal.badness(np.array([np.nan]))[0])


def test_more_than_the_best_is_the_best():
    sleep = chosen(["sleep_hours"])[0]
    assert sleep.badness(np.array([14.0]))[0] == 0.0


def test_an_unknown_signal_is_refused():
    with pytest.raises(ValueError, match="not a signal"):
        chosen(["mood", "use_reported"])


def test_a_run_of_silence_is_judged_by_the_persons_habit():
    answered = np.ones((3, 60), dtype=bool)
    answered[1, ::2] = False
    answered[:2, -4:] = False
    found = absence(answered)
    assert found.run.tolist() == [4, 4, 0]
    assert found.surprise[0] == pytest.approx(-4 * np.log(0.35))
    assert found.surprise[0] > found.surprise[1] > found.surprise[2] == 0
    assert not found.flagged[2]


def test_someone_who_answers_daily_is_missed_after_four_days_and_the_occasional_one_later():
    for rate, days, flagged in ((1, 3, False), (1, 4, True), (2, 5, False)):
        answered = np.zeros((1, 60), dtype=bool)
        answered[0, ::rate] = True
        answered[0, -days:] = False
        assert absence(answered).flagged[0] == flagged


def test_a_newcomer_is_not_missed():
    answered = np.zeros((1, 60), dtype=bool)
    answered[0, 50:55] = True
    assert not absence(answered, enrolled_days=np.array([10])).flagged[0]
    assert absence(answered, enrolled_days=np.array([10])).run[0] == 5
