"""CTN-0094 as rows: what was known when, on a person made up for the purpose."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from backend.tracking.trends.outlook import Outcome
from backend.tracking.trends.outlook_features import FEATURES, Screen
from bench.evaluate.ctn0094 import Person, read
from bench.evaluate.outlook_report import cross_validated, tasks
from bench.evaluate.person_weeks import PersonWeeks, person_weeks

N, P, M, X = (
    int(screen) for screen in (Screen.NEGATIVE, Screen.POSITIVE, Screen.MISSED, Screen.NONE)
)


def person(
    screens: list[int], *, use: tuple[float, ...] = (), visits: tuple[float, ...] = ()
) -> Person:
    """Two baseline weeks, randomised on study day 10."""
    return Person(
        "1", np.array(screens), 2, 10.0, np.array(use), np.array([]), np.array(visits), {}
    )


def column(weeks: PersonWeeks, name: str) -> list[float]:
    values: list[float] = weeks.inputs[:, FEATURES.index(name)].round(6).tolist()
    return values


def test_one_row_a_week_from_randomisation_to_the_last_but_one():
    weeks = person_weeks([person([X, P, N, M, P])])
    assert weeks.current.tolist() == [P, N, M]
    assert weeks.following.tolist() == [N, M, P]


def test_use_of_a_week_is_known_at_its_end_and_not_before():
    # Week 1 ends on day 17, week 2 on day 24.
    weeks = person_weeks([person([X, N, N, N, N], use=(18.0,))])
    assert column(weeks, "any_use_week") == [0.0, 0.0, 1.0]
    assert column(weeks, "days_since_use") == pytest.approx(np.log([100, 100, 7]), abs=1e-5)


def test_what_a_clinic_had_not_heard_yet_does_not_count():
    screens = [X, N, N, M, N]
    told = person(screens, use=(18.0,), visits=(10.0, 17.0))
    assert column(person_weeks([told]), "any_use_week") == [0.0, 0.0, 1.0]
    strict = person_weeks([told], reported_by_last_visit=True)
    assert column(strict, "any_use_week") == [0.0, 0.0, 0.0]


def test_gone_is_four_missed_weeks_and_needs_four_to_come():
    weeks = person_weeks([person([X, N, N, M, M, M, M, N])])
    assert weeks.gone.tolist()[:3] == [False, True, False]
    assert weeks.followed.tolist() == [True, True, True, False, False, False]


def test_later_weeks_never_change_earlier_rows():
    first = person_weeks([person([X, N, P, N, N, N])])
    other = person_weeks([person([X, N, P, N, P, M], use=(40.0,))])
    np.testing.assert_array_equal(first.inputs[:3], other.inputs[:3])


def test_nobody_is_judged_by_a_model_that_saw_them():
    """Outcomes that are pure chance for each person can only be learnt from the person."""
    rng = np.random.default_rng(0)
    people = [person(rng.choice([N, P], 30).tolist()) for _ in range(60)]
    weeks = person_weeks(people)
    task = tasks(weeks)[Outcome.USE_NEXT_WEEK]
    chance = cross_validated(weeks, task)
    happened = task.happened[task.rows]
    assert not np.isnan(chance[task.rows]).any()
    assert abs(np.corrcoef(chance[task.rows], happened)[0, 1]) < 0.08


def written(folder: Path, name: str, lines: list[str]) -> None:
    with gzip.open(folder / name, "wt", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def test_only_those_randomised_and_seen_are_read(tmp_path):
    folder = tmp_path / "ctn0094"
    folder.mkdir()
    written(folder, "randomization.csv.gz", ["who,treatment,which,when", "1,A,1,5.0", "2,A,1,6.0"])
    written(folder, "tlfb.csv.gz", ["who,what,when", "1,Heroin,3.0", "1,THC,4.0"])
    written(folder, "uds.csv.gz", ["who,what,when", "1,Cocaine,5.0", "1,Opioid,5.0"])
    written(folder, "visit.csv.gz", ["who,what,when", "1,visit,5.0", "1,no visit,"])
    written(
        folder,
        "demographics.csv.gz",
        ["who,is_male,race,is_living_stable", "1,Yes,White,", "2,No,Black,Yes", "3,No,Black,Yes"],
    )
    pattern = ["who,randWeek1,Baseline,Phase_1,Phase_2", "1,-0.0,_+,-o*,+", "2,0.0,__,ooo,"]
    written(folder, "derived_weeklyOpioidPattern.csv.gz", [*pattern, "3,,__,+++,"])
    (only,) = read(tmp_path)
    assert only.screens.tolist() == [X, P, N, M, P, P]
    assert only.use_days.tolist() == [3.0]
    assert only.other_days.tolist() == [5.0]
    assert only.visit_days.tolist() == [5.0]
    assert only.groups["is_living_stable"] == "not stated"
    assert only.week_ends().tolist() == [-2.0, 5.0, 12.0, 19.0, 26.0, 33.0]
