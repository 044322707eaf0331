from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest

from backend.tracking.trends.outlook import Outcome, Outlook, outlook, parse_models
from backend.tracking.trends.outlook_features import (
    AFTER_MISSED,
    FEATURES,
    THEMES,
    Screen,
    WeeklyHistory,
    features,
)

N, P, M, X = Screen.NEGATIVE, Screen.POSITIVE, Screen.MISSED, Screen.NONE


def history(
    screens: Sequence[Sequence[int]], use: list[float] | None = None, since: float = np.nan
) -> WeeklyHistory:
    weeks = np.array(screens)
    use_days = np.zeros(weeks.shape)
    if use is not None:
        use_days[:, -len(use) :] = use
    return WeeklyHistory(
        screens=weeks,
        use_days=use_days,
        other_positive=np.zeros(weeks.shape),
        days_since_use=np.full(len(weeks), since),
    )


def named(of: WeeklyHistory) -> dict[str, float]:
    return dict(zip(FEATURES, features(of)[0].tolist(), strict=True))


def test_features_of_a_known_history():
    found = named(history([[X, N, P, P, M, M]], use=[2.0, 0.0, 4.0], since=3.0))
    assert found["screen_missed"] == 1.0
    assert found["screen_positive"] == found["screen_negative"] == 0.0
    assert found["missed_run"] == pytest.approx(np.log(3))
    assert found["positive_share"] == pytest.approx(np.log(2.5 / 1.5))
    assert found["use_days_week"] == 2.0
    assert found["use_days_month"] == pytest.approx(np.sqrt(6))
    assert found["days_since_use"] == pytest.approx(np.log(4))
    assert found["weeks_in_care"] == pytest.approx(np.log(6))


def test_weeks_before_enrolment_make_no_difference():
    short, padded = history([[N, P, N]]), history([[X, X, X, N, P, N]])
    np.testing.assert_allclose(features(short), features(padded))


def test_use_makes_use_likelier_and_a_steady_month_less_likely():
    chance = outlook(history([[N] * 8, [P] * 8, [N, P] * 4]), Outcome.USE_NEXT_WEEK).probability
    assert chance[0] < 0.15 < chance[2] < chance[1]
    assert chance[1] > 0.7


def test_missed_weeks_make_dropping_out_likelier():
    chance = outlook(
        history([[N] * 8, [N] * 7 + [M], [N] * 6 + [M, M]]), Outcome.GONE_FOUR_WEEKS
    ).probability
    assert chance[0] < chance[1] < chance[2]
    assert chance[0] < 0.05


def test_without_any_screen_taken_nothing_is_said():
    found = outlook(history([[X, X, M, M]]), Outcome.USE_NEXT_WEEK)
    assert np.isnan(found.probability[0])
    assert found.facts(0) is None


def test_facts_give_a_level_and_reasons_but_no_probability():
    found = outlook(history([[P] * 6], use=[7.0] * 4, since=0.0), Outcome.USE_NEXT_WEEK)
    facts = json.loads(json.dumps(found.facts(0)))
    assert facts["level"] == "higher"
    assert facts["raises"] == ["results", "use"]
    assert facts["source"] == "CTN-0094"
    assert not any(isinstance(value, float) for value in facts.values())
    assert set(facts["raises"]).isdisjoint(facts["lowers"])


def test_each_feature_is_in_one_theme():
    themed = [name for of in THEMES.values() for name in of]
    assert sorted([*themed, *AFTER_MISSED]) == sorted(FEATURES)
    found = outlook(history([[N, M]], use=[3.0], since=1.0), Outcome.USE_NEXT_WEEK)
    assert sum(found.theme_shifts(0).values()) == pytest.approx(float(found.shifts[0].sum()))


def test_themes_speak_for_what_they_say():
    """What is said to raise it does, for the plain histories that a clinician would name."""
    steady = outlook(history([[N] * 10]), Outcome.USE_NEXT_WEEK).facts(0)
    assert steady is not None
    assert (steady["level"], steady["raises"]) == ("lower", [])
    assert steady["lowers"] == ["results", "use"]
    away = outlook(history([[N] * 6 + [M] * 3]), Outcome.GONE_FOUR_WEEKS).facts(0)
    assert away is not None
    assert (away["level"], away["raises"][0]) == ("higher", "weeks")
    used = outlook(history([[N] * 6], use=[2.0], since=1.0), Outcome.USE_NEXT_WEEK).facts(0)
    assert used is not None
    assert used["raises"] == ["use"]


def test_where_nothing_stands_out_there_is_no_bare_level():
    found = outlook(history([[P] * 6]), Outcome.USE_NEXT_WEEK)
    plain = Outlook(found.outcome, found.probability, found.level, np.zeros_like(found.shifts))
    assert plain.facts(0) is None


def test_sex_race_and_housing_are_no_inputs():
    for word in ("sex", "male", "race", "housing", "living", "age"):
        assert not any(word in name.split("_") for name in FEATURES)


def test_a_model_for_other_features_is_refused():
    with pytest.raises(ValueError, match="other features"):
        parse_models({"features": ["mood"], "outcomes": {}})
