"""What is lost where a programme tests seldom: `python -m bench.evaluate.thinned DATA`.

The trials of CTN-0094 tested at every weekly visit. Here a share of the tests is taken away and the
visit left, as where somebody comes to a session and is not tested; the weeks are made as the server
makes them (`outlook_history.py`), by tests alone and by visits. Models are fitted on whole
histories, as the shipped one, ten folds by person, and judged on thinned ones of people that they
never saw.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import product
from pathlib import Path

import numpy as np

from backend.tracking.trends.arrays import Bools, Floats
from backend.tracking.trends.outlook_features import Screen, WeeklyHistory, features
from backend.tracking.trends.outlook_history import (
    WEEKS,
    DatedTest,
    KnownHistory,
    known_history,
)

from .ctn0094 import Person, read
from .logistic import auroc, fit
from .outlook_report import FOLDS, SEED, tasks
from .person_weeks import person_weeks

SHARES = (1.0, 0.5)
DAY_ZERO = date(2000, 1, 1)
TREATED = frozenset({"opioids"})
RESULTS = {Screen.NEGATIVE: "negative", Screen.POSITIVE: "positive"}


def thinned(people: Sequence[Person], share: float) -> list[KnownHistory]:
    """The rows of `person_weeks`, with about `share` of the tests."""
    rng = np.random.default_rng(SEED)
    rows = []
    for person in people:
        is_tested = rng.uniform(size=len(person.screens)) < share
        for week in range(person.baseline_weeks - 1, len(person.screens) - 1):
            rows.append(_row(person, week, is_tested))
    return rows


def _row(person: Person, week: int, is_tested: Bools) -> KnownHistory:
    ends = person.week_ends()
    tests, sessions, tested_days = [], {}, []
    for number in range(week + 1):
        screen, day = Screen(int(person.screens[number])), _day(ends[number])
        if screen is Screen.MISSED:
            sessions[day] = False
        elif screen is not Screen.NONE and is_tested[number]:
            tests.append(DatedTest(day, RESULTS[screen]))
            tested_days.append(ends[number])
        elif screen is not Screen.NONE:
            sessions[day] = True
    known = known_history(
        first_on=_day(ends[0] - 6),
        last_on=_day(ends[week]),
        tests=tests,
        sessions=sessions,
        use=[_day(used) for used in person.use_days if used <= ends[week]],
        treated=TREATED,
    )
    other = np.zeros((1, WEEKS))
    for found in person.other_days[person.other_days <= ends[week]]:
        ago = int((ends[week] - found) // 7)
        if ago < WEEKS and any(0 <= end - found < 7 for end in tested_days):
            other[0, -1 - ago] += 1
    return replace(
        known,
        by_tests=replace(known.by_tests, other_positive=other),
        by_visits=replace(known.by_visits, other_positive=other),
    )


def _day(study_day: float) -> date:
    return DAY_ZERO + timedelta(days=int(study_day))


def _inputs(rows: Sequence[WeeklyHistory]) -> Floats:
    return features(
        WeeklyHistory(
            screens=np.concatenate([row.screens for row in rows]),
            use_days=np.concatenate([row.use_days for row in rows]),
            other_positive=np.concatenate([row.other_positive for row in rows]),
            days_since_use=np.concatenate([row.days_since_use for row in rows]),
        )
    )


def main(data: Path) -> None:
    """Prints one line an outcome, a share of tests, and a way of filling the weeks."""
    people = read(data)
    whole = person_weeks(people)
    fold = np.random.default_rng(SEED).permutation(int(whole.person.max()) + 1)[whole.person]
    print("outcome            tests  weeks by   person-weeks  AUROC")
    for share in SHARES:
        rows = thinned(people, share)
        known = np.array([row.is_recent for row in rows])
        ways = {
            "tests": _inputs([row.by_tests for row in rows]),
            "visits": _inputs([row.by_visits for row in rows]),
        }
        for (outcome, task), (way, inputs) in product(tasks(whole).items(), ways.items()):
            chance = np.full(len(rows), np.nan)
            for number in range(FOLDS):
                train = task.rows & (fold % FOLDS != number)
                test = task.rows & known & (fold % FOLDS == number)
                model = fit(whole.inputs[train], task.happened[train])
                chance[test] = model.probability(inputs[test])
            told = task.rows & known
            area = auroc(chance[told], task.happened[told])
            print(f"{outcome:18} {share:5.0%}  {way:8} {told.sum():13,}  {area:.3f}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
