"""Three trials of treatment for opioid use disorder (CTN-0094, MIT licence): weekly histories.

Randomised people seen at least once. Week k after randomisation holds days 7(k-1)+1 to 7k of it.
Whatever is known at the end of a week comes from that week and those before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.tracking.trends.arrays import Floats, Ints
from backend.tracking.trends.outlook_features import Screen

from .tables import rows

FOLDER = Path("ctn0094")
CODES = {"-": Screen.NEGATIVE, "+": Screen.POSITIVE, "*": Screen.POSITIVE, "o": Screen.MISSED}
TREATED = frozenset({"Heroin", "Opioid"})
OTHERS = frozenset({"Cocaine", "Amphetamine", "Benzodiazepine"})
GROUPS = ("is_male", "race", "is_living_stable")

DaysOf = Mapping[str, list[float]]


@dataclass(frozen=True, slots=True)
class Person:
    """One participant: screens from the first baseline week on, and days in study days."""

    name: str
    screens: Ints
    baseline_weeks: int
    randomised_day: float
    use_days: Floats
    other_days: Floats
    visit_days: Floats
    groups: Mapping[str, str]

    def week_ends(self) -> Floats:
        """Study day on which each week of `screens` ends."""
        weeks = np.arange(len(self.screens)) - self.baseline_weeks + 1
        return np.asarray(self.randomised_day + 7.0 * weeks, dtype=float)


def read(data: Path) -> list[Person]:
    """Everyone randomised and screened at least once."""
    folder = data / FOLDER
    randomised = {
        row["who"]: float(row["when"])
        for row in rows(folder / "randomization.csv.gz")
        if row["which"] == "1"
    }
    use = _days(folder / "tlfb.csv.gz", TREATED)
    other = _days(folder / "uds.csv.gz", OTHERS)
    visits = _days(folder / "visit.csv.gz", frozenset({"visit", "", "NA", "final"}))
    groups = {row["who"]: row for row in rows(folder / "demographics.csv.gz")}
    people = []
    for row in rows(folder / "derived_weeklyOpioidPattern.csv.gz"):
        who, after = row["who"], row["Phase_1"] + _text(row["Phase_2"])
        if who not in randomised or not _text(row["randWeek1"]) or not set(after) & set("+-*"):
            continue
        codes = [CODES.get(code, Screen.NONE) for code in row["Baseline"] + after]
        people.append(
            Person(
                who,
                np.array(codes, dtype=np.int64),
                len(row["Baseline"]),
                randomised[who],
                np.array(sorted(use.get(who, []))),
                np.array(sorted(other.get(who, []))),
                np.array(sorted(visits.get(who, []))),
                {group: _text(groups[who][group]) or "not stated" for group in GROUPS},
            )
        )
    return people


def _text(value: str) -> str:
    return "" if value == "NA" else value


def _days(path: Path, what: frozenset[str]) -> DaysOf:
    days: dict[str, list[float]] = defaultdict(list)
    for row in rows(path):
        if row["what"] in what and _text(row["when"]):
            days[row["who"]].append(float(row["when"]))
    return days
