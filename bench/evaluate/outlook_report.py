"""The outlook, cross-validated on CTN-0094: ten folds, nobody in both parts of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backend.tracking.trends.arrays import Bools, Floats
from backend.tracking.trends.outlook import Outcome
from backend.tracking.trends.outlook_features import FEATURES, Screen

from .ctn0094 import GROUPS, Person
from .logistic import auroc, fit, within_person
from .person_weeks import PersonWeeks, person_weeks

FOLDS = 10
SEED = 94
LEAST_GROUP_ROWS = 300


@dataclass(frozen=True, slots=True)
class Task:
    """Which rows, and what may happen in them."""

    rows: Bools
    happened: Bools


def tasks(weeks: PersonWeeks) -> dict[Outcome, Task]:
    """Use: the next week's screen, where one was taken. Gone: among those seen in the last four."""
    screened = weeks.following <= Screen.POSITIVE
    return {
        Outcome.USE_NEXT_WEEK: Task(screened, weeks.following == Screen.POSITIVE),
        Outcome.GONE_FOUR_WEEKS: Task(weeks.followed & weeks.seen_lately, weeks.gone),
    }


def cross_validated(weeks: PersonWeeks, task: Task) -> Floats:
    """Each row's probability from a model that never saw the person; NaN outside the task."""
    people = np.random.default_rng(SEED).permutation(int(weeks.person.max()) + 1)
    fold = people[weeks.person] % FOLDS
    chance = np.full(len(fold), np.nan)
    for number in range(FOLDS):
        train = task.rows & (fold != number)
        test = task.rows & (fold == number)
        model = fit(weeks.inputs[train], task.happened[train])
        chance[test] = model.probability(weeks.inputs[test])
    return chance


def report(people: Sequence[Person]) -> dict[str, Any]:
    """Areas under the curve, pooled and within persons, overall and by group."""
    weeks = person_weeks(people)
    found = tasks(weeks)
    use = found[Outcome.USE_NEXT_WEEK]
    chance = cross_validated(weeks, use)
    not_currently = use.rows & (weeks.current != Screen.POSITIVE)
    negative = use.rows & (weeks.current == Screen.NEGATIVE)
    gone = found[Outcome.GONE_FOUR_WEEKS]
    gone_chance = cross_validated(weeks, gone)
    clinic_weeks = person_weeks(people, reported_by_last_visit=True)
    clinic = cross_validated(clinic_weeks, use)
    return {
        "people": len(people),
        "next_week_positive": _areas(weeks, use, chance, use.rows),
        "next_week_positive_not_currently": _areas(weeks, use, chance, not_currently),
        "next_week_positive_currently_negative": _areas(weeks, use, chance, negative),
        "next_week_positive_known_by_last_visit": _areas(weeks, use, clinic, use.rows),
        "next_week_positive_not_currently_known_by_last_visit": _areas(
            weeks, use, clinic, not_currently
        ),
        "next_week_positive_currently_negative_known_by_last_visit": _areas(
            weeks, use, clinic, negative
        ),
        "gone_four_weeks": _areas(weeks, gone, gone_chance, gone.rows),
        "calibration": _calibration(use.happened[use.rows], chance[use.rows]),
        "groups": {
            "next_week_positive": _by_group(people, weeks, use, chance),
            "gone_four_weeks": _by_group(people, weeks, gone, gone_chance),
        },
    }


def document(people: Sequence[Person]) -> dict[str, Any]:
    """The content of outlook.json: regressions fitted on everyone, no row of anyone."""
    weeks = person_weeks(people)
    outcomes = {}
    for outcome, task in tasks(weeks).items():
        model = fit(weeks.inputs[task.rows], task.happened[task.rows])
        outcomes[outcome.value] = {
            "mean": model.mean.round(5).tolist(),
            "scale": model.scale.round(5).tolist(),
            "weights": model.weights.round(5).tolist(),
            "intercept": round(model.intercept, 5),
            "cuts": [round(cut, 5) for cut in model.cuts],
            "person_weeks": int(task.rows.sum()),
        }
    provenance = {
        "data": "NIDA CTN-0094 (trials 0027, 0030, 0051), R package public.ctn0094data, MIT",
        "applies_to": "opioid-treatment trials; an extrapolation for anyone else",
        "people": len(people),
        "command": "python -m bench.evaluate.fit_outlook DATA",
    }
    return {"provenance": provenance, "features": list(FEATURES), "outcomes": outcomes}


def _areas(weeks: PersonWeeks, task: Task, chance: Floats, among: Bools) -> dict[str, float]:
    happened, person = task.happened[among], weeks.person[among]
    return {
        "auroc": round(auroc(chance[among], happened), 4),
        "within_person": round(within_person(chance[among], happened, person), 4),
        "person_weeks": int(among.sum()),
        "share": round(float(happened.mean()), 4),
    }


def _by_group(
    people: Sequence[Person], weeks: PersonWeeks, task: Task, chance: Floats
) -> dict[str, dict[str, dict[str, float]]]:
    groups: dict[str, dict[str, dict[str, float]]] = {}
    for group in GROUPS:
        of_row = np.array([person.groups[group] for person in people])[weeks.person]
        groups[group] = {
            value: _areas(weeks, task, chance, task.rows & (of_row == value))
            | {"mean_outlook": round(float(np.nanmean(chance[task.rows & (of_row == value)])), 4)}
            for value in sorted(set(of_row[task.rows]))
            if (task.rows & (of_row == value)).sum() >= LEAST_GROUP_ROWS
        }
    return groups


def _calibration(happened: Bools, chance: Floats) -> list[dict[str, float]]:
    """Foretold and observed share in tenths of the rows."""
    tenths = np.array_split(np.argsort(chance), 10)
    return [
        {
            "foretold": round(float(chance[rows].mean()), 4),
            "observed": round(float(happened[rows].mean()), 4),
        }
        for rows in tenths
    ]
